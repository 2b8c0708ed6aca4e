import { newCompletionId, uuidOf } from '@weir/contracts'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { extendReservations, keepReservations } from './keep-reservations.ts'
import { lostOutcome } from './outcomes.ts'
import { serviceFixture } from './testing/service.ts'

const YEAR_MS = 365 * 86_400_000

test('a reservation that is known to be alive gets another lease, and one that has ended does not come back', async () => {
  await using service = await serviceFixture()
  const [alive, ended] = [await service.admit(), await service.admit()]
  await service.endings.submit({ id: ended.id, accountId: ended.accountId, outcome: lostOutcome() })
  const unknown = { id: newCompletionId(), accountId: alive.accountId }

  await extendReservations(service.db, [ended, alive, unknown], YEAR_MS)

  expect(await leaseOf(service.db, alive.id)).toEqual({ state: 'open', is_long: true })
  expect(await leaseOf(service.db, ended.id)).toEqual({ state: 'released', is_long: false })
})

test('a worker extends what it runs, again and again', async () => {
  await using service = await serviceFixture()
  const job = await service.admit()
  using _attempt = service.attempts.begin(job, 1)

  await using _keeping = keepReservations(service.db, service.attempts, { leaseMs: 30, onError: () => {} })

  // The lease it was admitted with is ten minutes; one that is short never shortens it.
  const versions = () => versionOf(service.db, job.accountId)
  const first = await versions()
  await expect.poll(versions).toBeGreaterThan(first + 1n)
  expect(await leaseOf(service.db, job.id)).toEqual({ state: 'open', is_long: false })
})

type Db = Parameters<typeof extendReservations>[0]

async function leaseOf(db: Db, id: Parameters<typeof uuidOf>[0]) {
  const { rows } = await sql`
    select state, expires_at > now() + interval '300 days' as is_long from ledger.reservation
    where id = ${uuidOf(id)}`.execute(db)
  return rows[0]
}

async function versionOf(db: Db, accountId: Parameters<typeof uuidOf>[0]): Promise<bigint> {
  const { rows } = await sql<{ version: bigint }>`
    select version from ledger.account where id = ${uuidOf(accountId)}`.execute(db)
  return rows[0]!.version
}
