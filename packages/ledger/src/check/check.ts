import { type AccountId, accountIdOf, actionIdOf, completionIdOf, grantIdOf, keyIdOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import * as actions from './actions.ts'
import * as balances from './balances.ts'
import * as entries from './entries.ts'
import * as grants from './grants.ts'
import { type Asked, type FindingRow, type SubjectKind, onlyOf } from './invariant.ts'
import * as limits from './limits.ts'
import * as months from './months.ts'
import * as reservations from './reservations.ts'

const ofAccounts = [
  ...[balances, entries, grants, reservations, actions, limits].flatMap((file) => Object.values(file)),
  months.rowsLieInTheirMonth,
]
const ofTheBooks = [...ofAccounts, months.monthsAreMadeAhead]

/** The name of something that must always hold. */
export type InvariantName = (typeof ofTheBooks)[number]['invariant']

/** Something that does not hold: for which account, where it shows, and what was found. */
export type Finding = {
  invariant: InvariantName
  accountId?: AccountId
  /** The id of a grant, completion, action or key, of the account itself, or a month. */
  subject: string
  message: string
}

export type CheckReport = {
  checkedAt: Date
  accounts: number
  entries: number
  reservations: number
  findings: Finding[]
  /** How many more there are than are listed. */
  unlisted: number
}

export type CheckOptions = {
  /** Only these, and nothing that concerns all accounts together. */
  accountIds?: readonly AccountId[] | undefined
  /** Lists so many findings; of every invariant some. 100 when nothing else is said. */
  limit?: number | undefined
  /** How long after the end of its lease an open reservation counts as forgotten. An hour when nothing else is said. */
  leaseGraceMs?: number | undefined
  signal?: AbortSignal | undefined
}

export type LedgerCheck = ReturnType<typeof createLedgerCheck>

/**
 * Proves the books from their rows alone. Each invariant is one statement over all accounts, and all of them see the same
 * snapshot, so what goes on meanwhile is no finding. A million reservations and entries take some ten seconds, a second or
 * two of it in one statement, so `db` must be patient. Postgres sorts and joins in its `work_mem`, and beyond it on disk.
 * A snapshot that stays open for minutes keeps dead rows alive: large books are best checked on a replica, or at night.
 */
export function createLedgerCheck(db: Database) {
  return {
    async check(options: CheckOptions = {}): Promise<CheckReport> {
      const { accountIds, limit = 100, leaseGraceMs = 3_600_000, signal } = options
      const inOneSnapshot = db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only')
      return inOneSnapshot.execute(async (tx) => {
        await keepMonthsInPlace(tx)
        const only = onlyOf(accountIds)
        const { clock: checkedAt, ...counts } = await countRows(tx, only)

        const found: Found[] = []
        for (const invariant of accountIds ? ofAccounts : ofTheBooks) {
          signal?.throwIfAborted()
          found.push(...(await findingsOf(tx, invariant, { only, checkedAt, leaseGraceMs }, limit)))
        }
        return { checkedAt, ...counts, ...listed(found, limit) }
      })
    },
  }
}

/**
 * A month that is made or detached while the check runs would change what the tables hold, whatever the snapshot. So the
 * locks come first, because the first query takes the snapshot; and whoever keeps the months is told to come back later
 * by a lock that nobody else queues behind.
 */
async function keepMonthsInPlace(tx: Database): Promise<void> {
  await sql`lock table ledger.reservation, ledger.entry in access share mode`.execute(tx)
  await sql`select pg_try_advisory_xact_lock_shared(hashtext('weir ledger months'))`.execute(tx)
}

async function countRows(tx: Database, only: Asked['only']) {
  const { rows } = await sql<{ clock: Date; accounts: bigint; entries: bigint; reservations: bigint }>`
    select ledger.clock(),
      (select count(*) from ledger.account where ${only('id')}) as accounts,
      (select count(*) from ledger.entry where ${only('account_id')}) as entries,
      (select count(*) from ledger.reservation where ${only('account_id')}) as reservations`.execute(tx)
  const { clock, accounts, entries, reservations } = rows[0]!
  return { clock, accounts: Number(accounts), entries: Number(entries), reservations: Number(reservations) }
}

type Found = { finding: Finding; rank: number; total: number }

async function findingsOf(
  tx: Database,
  { invariant, subject, findings }: (typeof ofTheBooks)[number],
  asked: Asked,
  limit: number,
): Promise<Found[]> {
  const { rows } = await sql<FindingRow & { total: bigint }>`
    select found.*, count(*) over () as total from (${findings(asked)}) as found
    order by account_id, subject, message limit ${limit}`.execute(tx)
  return rows.map((row, rank) => ({ finding: findingOf(invariant, subject, row), rank, total: Number(row.total) }))
}

/** The first of every invariant before the second of any: a thousand of one kind do not hide the one of another. */
function listed(found: readonly Found[], limit: number): Pick<CheckReport, 'findings' | 'unlisted'> {
  const findings = found
    .toSorted((a, b) => a.rank - b.rank)
    .slice(0, limit)
    .map(({ finding }) => finding)
  const total = found.reduce((sum, { rank, total }) => sum + (rank === 0 ? total : 0), 0)
  return { findings, unlisted: total - findings.length }
}

function findingOf(invariant: InvariantName, kind: SubjectKind, row: FindingRow): Finding {
  const { account_id: account, subject, message } = row
  return { invariant, ...(account && { accountId: accountIdOf(account) }), subject: idOf[kind](subject), message }
}

const idOf = {
  account: accountIdOf,
  grant: grantIdOf,
  completion: completionIdOf,
  action: actionIdOf,
  key: keyIdOf,
  month: (month) => month,
} satisfies Record<SubjectKind, (subject: string) => string>
