import { newAccountId, newFileId, newKeyId, uuidOf } from '@weir/contracts'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createBatchItems } from './batch-items.ts'
import { createBatchLines } from './batch-lines.ts'
import { createBatchWork } from './batch-work.ts'
import { type Batch, createBatchStore } from './batches.ts'
import { type StoreFixture, openStoreFixture } from './testing/store-fixture.ts'

let fixture: StoreFixture
beforeAll(async () => {
  fixture = await openStoreFixture()
})
afterAll(() => fixture?.[Symbol.asyncDispose]())

/** A batch whose lines are being checked, with so many of them noted. */
async function validating(lines: number) {
  const batches = createBatchStore(fixture.db)
  const items = createBatchItems(fixture.db)
  const accountId = newAccountId()
  const batch = (await batches.create(
    {
      accountId,
      keyId: newKeyId(),
      dialect: 'openai',
      endpoint: '/v1/chat/completions',
      inputFileId: newFileId(),
      metadata: undefined,
      webhookUrl: undefined,
      dryRun: false,
      maxCost: undefined,
      maxTries: 3,
      resultsKeptMs: 60_000,
      windowMs: 60_000,
    },
    { mostOpen: 10 },
  )) as Batch
  await items.add(
    batch.id,
    Array.from({ length: lines }, (_, n) => ({ line: n + 1, customId: `line-${n + 1}`, startByte: n * 10, bytes: 9 })),
  )
  return { batches, items, batch, accountId, work: createBatchWork(fixture.db), lines: createBatchLines(fixture.db) }
}

test('lines are listed by their place in the input, a page at a time, all of them or those in one state', async () => {
  const { batch, work, items, lines } = await validating(5)
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
      customId: 'line-1',
      state: 'failed',
      tries: 1,
      completionId: undefined,
      charged: 0n,
      error: { code: 'model_not_found', message: 'There is no such model.' },
      endedAt: expect.any(Date),
    },
  ])
  expect(await lines.list(batch.id, { after: 0, limit: 10, state: 'in_progress' })).toHaveLength(1)
})

test('a line whose completion failed tells of what, as that does', async () => {
  const { batch, work, items, lines } = await validating(1)
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
  const { batches, accountId, batch } = await validating(3)

  expect(await batches.cancel(accountId, batch.id)).toBe(true)

  expect(await batches.find(accountId, batch.id)).toMatchObject({ state: 'cancelling' })
})

test('only the batches of one API are listed where only those are asked for', async () => {
  const { batches, accountId, batch } = await validating(0)

  expect(await batches.list(accountId, { limit: 10 })).toMatchObject([{ id: batch.id }])
  expect(await batches.list(accountId, { limit: 10, dialect: 'openai' })).toHaveLength(1)
  expect(await batches.list(accountId, { limit: 10, dialect: 'anthropic' })).toEqual([])
})
