import { type AccountId, type CompletionId, accountIdOf, completionIdOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'

type Paid = { accountId: AccountId; completionId: CompletionId }

/** Whom the statements are about. Drawn at random: what is asked for is as likely old as new, and rarely asked for twice. */
export type Cast = {
  busy: AccountId
  /** The entries of the busy one. */
  entries: number
  /** The busy one among them. */
  all: readonly AccountId[]
  ofBusy: readonly CompletionId[]
  ofOthers: readonly Paid[]
}

const DRAWN = 200

export async function drawCast(db: Database): Promise<Cast> {
  const { rows: accounts } = await sql<{ id: string; sequence: bigint }>`
    select a.id, a.sequence from load.account l join ledger.account a on a.id = l.id order by l.number`.execute(db)
  const all = accounts.map(({ id }) => accountIdOf(id))
  const [busy, ...others] = all
  const paid = await drawCompletions(db)
  return {
    busy: busy!,
    entries: Number(accounts[0]!.sequence),
    all,
    ofBusy: paid.filter(({ accountId }) => accountId === busy).map(({ completionId }) => completionId),
    ofOthers: paid.filter(({ accountId }) => accountId !== busy && others.includes(accountId)),
  }
}

/** Completions of the busy account and of others, of any age. */
async function drawCompletions(db: Database): Promise<Paid[]> {
  const { rows } = await sql<{ account_id: string; ref: string }>`
    select e.account_id, e.ref
    from generate_series(1, ${DRAWN}::int) n
    join load.account a on a.number = case when n % 2 = 0 then 0 else n end
    -- The first two entries of an account are its grants. Naming n draws anew for each row.
    cross join lateral (select floor(3 + a.completions * random() + 0 * n)::bigint as sequence) s
    join ledger.entry e on e.account_id = a.id and e.sequence = s.sequence`.execute(db)
  return rows.map((row) => ({ accountId: accountIdOf(row.account_id), completionId: completionIdOf(row.ref) }))
}

export const anyOf = <T>(values: readonly T[]): T => values[Math.floor(Math.random() * values.length)]!
