import { uuidOf } from '@weir/contracts'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type StoreFixture, openStoreFixture } from './testing/store-fixture.ts'
import { validating } from './testing/validating.ts'

let fixture: StoreFixture
beforeAll(async () => {
  fixture = await openStoreFixture()
})
afterAll(() => fixture?.[Symbol.asyncDispose]())

test('lines are listed by their place in the input, a page at a time, all of them or those in one state', async () => {
  const { batch, work, items, lines } = await validating(fixture, 5)
  await work.begin(batch.id, { lines: 5, bad: 0, quote: 10n })
  await items.claim({ window: 2, most: 2, leaseMs: 60_000 }, () => new Map([[batch.id, 2]]))
  await items.fail(batch.id, [{ line: 1, error: { code: 'model_not_found', message: 'There is no such model.' } }])

  const listed = await lines.list(batch.id, { after: 1, limit: 2 })

  expect(listed.map(({ line, state, tries }) => [line, state, tries])).toEqual([
    [2, 'in_progress', 1],
    [3, 'pending', 0],
  ])
  expect(await lines.list(batch.id, { after: 0, limit: 10, state: 'failed' })).toEqual([
    {
      line: 1,
      nextTryAt: undefined,
      customId: 'line-1',
      state: 'failed',
      tries: 0,
      completionId: undefined,
      charged: 0n,
      error: { code: 'model_not_found', message: 'There is no such model.' },
      endedAt: expect.any(Date),
    },
  ])
  expect(await lines.list(batch.id, { after: 0, limit: 10, state: 'in_progress' })).toHaveLength(1)
})

test('a line whose completion failed tells of what, as that does', async () => {
  const { batch, work, items, lines } = await validating(fixture, 1)
  await work.begin(batch.id, { lines: 1, bad: 0, quote: 10n })
  const { items: claimed } = await items.claim(
    { window: 1_000, most: 10, leaseMs: 60_000 },
    () => new Map([[batch.id, 1]]),
  )
  const id = claimed.find(({ batchId }) => batchId === batch.id)!.completionId
  const log = JSON.stringify([{ message: 'too early' }, { message: 'The backend failed.' }])
  await sql`
    insert into store.completion (id, account_id, key_id, model, stream, deadline_at, state, ended_at, error_code, attempt_log)
    values (${uuidOf(id)}, ${uuidOf(batch.accountId)}, ${uuidOf(batch.keyId)}, 'fast', false, now(), 'failed', now(),
      'backend_error', ${log}::jsonb)`.execute(fixture.db)
  await sql`update store.batch_item set state = 'failed', ended_at = now() where batch_id = ${uuidOf(batch.id)}`.execute(
    fixture.db,
  )

  expect(await lines.list(batch.id, { after: 0, limit: 1 })).toMatchObject([
    { completionId: id, error: { code: 'backend_error', message: 'The backend failed.' } },
  ])
})

test('a batch is cancelled while its lines are being checked', async () => {
  const { batches, accountId, batch } = await validating(fixture, 3)

  expect(await batches.cancel(accountId, batch.id)).toBe(true)

  expect(await batches.find(accountId, batch.id)).toMatchObject({ state: 'cancelling' })
})

test('a batch that is cancelled while its lines are being checked ends with every one of them', async () => {
  const { batches, work, items, accountId, batch } = await validating(fixture, 3)
  await batches.cancel(accountId, batch.id)
  expect(await work.toFinalize(1)).toBeUndefined()

  await work.begin(batch.id, { lines: 3, bad: 0, quote: 5n })
  await work.turnOver()

  expect(await work.toFinalize(60_000)).toMatchObject({ id: batch.id, lines: { total: 3, cancelled: 3, pending: 0 } })
  expect(await items.ended(batch.id, { after: 0, limit: 10, states: ['cancelled'] })).toHaveLength(3)
})

test('a batch whose input is wrong, and that was cancelled meanwhile, is cancelled', async () => {
  const { batches, work, accountId, batch } = await validating(fixture, 0)
  await batches.cancel(accountId, batch.id)

  await work.refuse(batch.id, [{ code: 'empty_file', message: 'It has no lines.' }])

  expect(await batches.find(accountId, batch.id)).toMatchObject({ state: 'cancelled', endedAt: expect.any(Date) })
})

test('a key makes one batch, however often it is asked for, until it lapses', async () => {
  const idempotency = { key: 'mine', digest: Buffer.from('this') }
  const { create, batch } = await validating(fixture, 0, idempotency)

  expect(await create()).toMatchObject({ kind: 'held', isSame: true, batch: { id: batch.id } })
  expect(await create({}, { mostOpen: 1 })).toMatchObject({ kind: 'held', isSame: true })
  expect(await create({ idempotency: { key: 'mine', digest: Buffer.from('that') } })).toMatchObject({
    kind: 'held',
    isSame: false,
  })
  expect(await create({ idempotency: undefined }, { mostOpen: 1 })).toEqual({ kind: 'too_many' })
  expect(await create({}, { idempotencyMs: 0 })).toMatchObject({ kind: 'created' })
})

test('of many that ask at once with one key, one makes the batch', async () => {
  const { create, batch } = await validating(fixture, 0)
  const idempotency = { key: 'at once', digest: Buffer.from('this') }

  const all = await Promise.all(Array.from({ length: 6 }, () => create({ idempotency })))

  expect(all.filter(({ kind }) => kind === 'created')).toHaveLength(1)
  expect(new Set(all.map((each) => each.kind !== 'too_many' && each.batch.id)).size).toBe(1)
  expect(all.map((each) => each.kind !== 'too_many' && each.batch.id)).not.toContain(batch.id)
})

test('only the batches of one API are listed where only those are asked for', async () => {
  const { batches, accountId, batch } = await validating(fixture, 0)

  expect(await batches.list(accountId, { limit: 10 })).toMatchObject([{ id: batch.id }])
  expect(await batches.list(accountId, { limit: 10, dialect: 'openai' })).toHaveLength(1)
  expect(await batches.list(accountId, { limit: 10, dialect: 'anthropic' })).toEqual([])
})
