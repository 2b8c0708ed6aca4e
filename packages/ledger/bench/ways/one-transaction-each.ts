import { type AccountId, uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import type { CloseVerdict, Release, Reserve, ReserveVerdict, Settle } from '../../src/operations.ts'
import { type Way, askedWay } from '../way.ts'

/**
 * What one would write first: each operation is a transaction that locks the account, reads, decides here and writes, in
 * as few statements as that takes. It knows no clamping and no limits of keys, which only makes it faster.
 */
export const oneTransactionEach = (db: Database): Way =>
  askedWay('a transaction per operation', db, (op) => {
    if (op.kind === 'reserve') return reserve(db, op)
    if (op.kind === 'settle' || op.kind === 'release') return end(db, op)
    throw new Error(`Nobody asks for ${op.kind} here.`)
  })

const reserve = (db: Database, { accountId, completionId, quote, keyId, priceId }: Reserve): Promise<ReserveVerdict> =>
  db.transaction().execute(async (tx) => {
    const account = await lockAccount(tx, accountId)
    const { rows } = await sql<{ spendable: bigint; reserved: boolean }>`
      select exists (select from ledger.reservation where id = ${uuidOf(completionId)}) as reserved,
        coalesce(sum(balance), 0)::bigint as spendable
      from ledger.credit_grant where account_id = ${uuidOf(accountId)} and not closed
        and (least(expires_at, revoked_at) > clock_timestamp() or least(expires_at, revoked_at) is null)`.execute(tx)
    const { spendable, reserved } = rows[0]!
    const available = spendable - account.held

    if (reserved) return { kind: 'reserved', amount: quote }
    if (account.frozen) return { kind: 'account_frozen' }
    if (available < quote) return { kind: 'insufficient_credits', available, reserved: account.held }

    await sql`
      insert into ledger.reservation (id, account_id, key_id, price_id, quote, amount, created_at, expires_at)
      values (${uuidOf(completionId)}, ${uuidOf(accountId)}, ${uuidOf(keyId!)}, ${uuidOf(priceId!)}, ${quote}, ${quote},
        clock_timestamp(), clock_timestamp() + interval '10 minutes')`.execute(tx)
    await sql`
      update ledger.account set held = held + ${quote}, version = version + 1, last_at = clock_timestamp()
      where id = ${uuidOf(accountId)}`.execute(tx)
    return { kind: 'reserved', amount: quote }
  })

type Drawable = { amount: bigint; captured: bigint; state: string; grantId: string; balance: bigint }

const end = (db: Database, op: Settle | Release): Promise<CloseVerdict> =>
  db.transaction().execute(async (tx) => {
    const { accountId, completionId, kind } = op
    const account = await lockAccount(tx, accountId)
    const { rows: grants } = await sql<Drawable>`
      select r.amount, r.captured, r.state, g.id as "grantId", g.balance
      from ledger.reservation r join ledger.credit_grant g on g.account_id = r.account_id and not g.closed
        and (least(g.expires_at, g.revoked_at) > r.created_at or least(g.expires_at, g.revoked_at) is null)
      where r.id = ${uuidOf(completionId)} and r.account_id = ${uuidOf(accountId)}
      order by g.priority, g.expires_at, g.kind_rank, g.id`.execute(tx)
    const [reservation] = grants
    if (!reservation) return { kind: 'not_found' }
    if (reservation.state !== 'open') return { kind: 'already_closed', charged: reservation.captured, uncollected: 0n }

    const cost = kind === 'settle' ? op.cost : 0n
    if (cost > reservation.amount) throw new Error('Nobody exceeds a reservation here.')
    const draws = drawsOf(cost, grants)
    for (const [index, { grantId, part, left }] of draws.entries()) {
      await sql`
        insert into ledger.entry (account_id, sequence, kind, ref, grant_id, amount, balance_after, created_at)
        values (${uuidOf(accountId)}, ${account.sequence + BigInt(index) + 1n}, 'charge', ${uuidOf(completionId)},
          ${grantId}, ${-part}, ${left}, clock_timestamp())`.execute(tx)
      await sql`
        update ledger.credit_grant set balance = ${left}, closed = ${left === 0n} where id = ${grantId}`.execute(tx)
    }
    await sql`
      update ledger.reservation set state = ${kind === 'settle' ? 'settled' : 'released'}, cost = ${cost},
        captured = ${cost}, closed_at = clock_timestamp()
      where id = ${uuidOf(completionId)}`.execute(tx)
    await sql`
      update ledger.account set balance = balance - ${cost}, held = held - ${reservation.amount},
        sequence = sequence + ${draws.length}, version = version + 1, last_at = clock_timestamp()
      where id = ${uuidOf(accountId)}`.execute(tx)
    return { kind: 'closed', charged: cost, uncollected: 0n }
  })

/** Those of one account queue up here, so what is read from now on is what will be written over. */
async function lockAccount(tx: Database, accountId: AccountId) {
  const { rows } = await sql<{ held: bigint; sequence: bigint; frozen: boolean }>`
    select held, sequence, frozen from ledger.account where id = ${uuidOf(accountId)} for update`.execute(tx)
  return rows[0]!
}

/** How a cost is spread over grants in the order in which they are drawn. */
function drawsOf(cost: bigint, grants: readonly Drawable[]) {
  let rest = cost
  return grants.flatMap(({ grantId, balance }) => {
    const part = rest < balance ? rest : balance
    rest -= part
    return part > 0n ? [{ grantId, part, left: balance - part }] : []
  })
}
