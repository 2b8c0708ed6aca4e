import { type CompletionId, newCompletionId, uuidOf } from '@weir/contracts'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { forgetLapsed } from './completion-upkeep.ts'
import { DAY_MS, type KeptFixture, openKeptFixture } from './testing/kept-fixture.ts'

let fixture: KeptFixture
beforeAll(async () => void (fixture = await openKeptFixture()))
afterAll(() => fixture?.[Symbol.asyncDispose]())

const never = () => new AbortController().signal
const forget = (signal = never()) => forgetLapsed(fixture.db, { idempotencyMs: DAY_MS, signal })

const outcomesOf = (...ids: CompletionId[]) =>
  Promise.all(ids.map((id) => fixture.kept.outcomeOf(fixture.accountId, id)))

async function key(name: string, ageMs: number): Promise<void> {
  await sql`insert into store.idempotency_key (account_id, key, digest, completion_id, created_at)
    values (${uuidOf(fixture.accountId)}, ${name}, 'digest', ${uuidOf(newCompletionId())},
      clock_timestamp() - ${ageMs}::float8 * interval '1 ms')`.execute(fixture.db)
}

async function keys(): Promise<string[]> {
  const { rows } = await sql<{ key: string }>`select key from store.idempotency_key order by key`.execute(fixture.db)
  return rows.map(({ key }) => key)
}

test('a result is forgotten once its time is over, which begins with its end', async () => {
  const [lapsed, kept, running] = [
    await fixture.keep('a job', { keepMs: 0 }),
    await fixture.keep('a job', { keepMs: DAY_MS }),
    await fixture.keep('a job', { keepMs: 0 }),
  ]
  for (const id of [lapsed, kept]) await fixture.end(id, 'an outcome')

  expect(await forget()).toEqual({ results: 1, keys: 0 })

  expect(await outcomesOf(lapsed, kept)).toEqual([undefined, 'an outcome'])
  expect(await fixture.kept.largeJobOf(running)).toBe('a job')
  expect(await fixture.records.find(fixture.accountId, lapsed)).toMatchObject({ isDeleted: false })
})

test('an idempotency key is forgotten once it has lapsed', async () => {
  await key('old', DAY_MS + 1_000)
  await key('young', DAY_MS - 60_000)

  expect(await forget()).toEqual({ results: 0, keys: 1 })

  expect(await keys()).toEqual(['young'])
})

/** Three batches of keys that have lapsed. */
const lapsedKeys = () =>
  sql`insert into store.idempotency_key (account_id, key, digest, completion_id, created_at)
    select gen_random_uuid(), 'many', 'digest', gen_random_uuid(), clock_timestamp() - interval '2 days'
    from generate_series(1, 2500)`.execute(fixture.db)

test('all that has lapsed is forgotten, however much it is', async () => {
  await lapsedKeys()

  expect(await forget()).toEqual({ results: 0, keys: 2_500 })
})

test('any number may look at the same time, and forget all of it together', async () => {
  await lapsedKeys()

  const forgotten = await Promise.all([forget(), forget(), forget()])

  expect(forgotten.reduce((sum, { keys }) => sum + keys, 0)).toBe(2_500)
  expect(await keys()).not.toContain('many')
})

test('whoever is told to stop stops after a batch', async () => {
  await lapsedKeys()

  expect(await forget(AbortSignal.abort())).toEqual({ results: 0, keys: 1_000 })
})
