import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Batch } from './batch-record.ts'
import { type StoreFixture, openStoreFixture } from './testing/store-fixture.ts'
import { validating } from './testing/validating.ts'

let fixture: StoreFixture
beforeAll(async () => {
  fixture = await openStoreFixture()
})
afterAll(() => fixture?.[Symbol.asyncDispose]())

const ONE = { window: 1_000, most: 100, leaseMs: 60_000 }
const nothing = new Map<Batch['id'], number>()

test('paused batches, and those that are still checked, keep no other one of their account from being fed', async () => {
  const { create, batch, work, items } = await validating(fixture, 1)
  for (let n = 0; n < 9; n++) {
    const other = await create()
    if (other.kind !== 'created') throw new Error('it was not made')
    if (n % 2) continue
    await work.begin(other.batch.id, { lines: 1, bad: 0, quote: 1n })
    await work.pause(other.batch.id, 'insufficient_credits', n % 4 ? 0 : 60_000)
  }
  await work.begin(batch.id, { lines: 1, bad: 0, quote: 1n })

  let fed: readonly Batch[] = []
  await items.claim(ONE, (batches) => {
    fed = batches.filter(({ accountId }) => accountId === batch.accountId)
    return nothing
  })

  expect(fed[0]?.id).toBe(batch.id)
  expect(fed.slice(1).every(({ paused }) => paused)).toBe(true)
})

test('lines are claimed as long as they weigh no more than a feeder may hold', async () => {
  const { batch, work, items } = await validating(fixture, 0)
  const large = 20_000_000
  await items.add(
    batch.id,
    [1, 2, 3, 4].map((line) => ({ line, customId: `${line}`, startByte: line * large, bytes: large })),
  )
  await work.begin(batch.id, { lines: 4, bad: 0, quote: 1n })

  const { items: claimed } = await items.claim(ONE, () => new Map([[batch.id, 4]]))

  expect(claimed.filter(({ batchId }) => batchId === batch.id).map(({ line }) => line)).toEqual([1, 2])
})

test('when a batch pauses for another reason it says so again', async () => {
  const { batches, batch, accountId, work } = await validating(fixture, 1)
  await work.begin(batch.id, { lines: 1, bad: 0, quote: 1n })
  await work.pause(batch.id, 'insufficient_credits', 0)
  const before = (await batches.find(accountId, batch.id))?.paused

  await work.pause(batch.id, 'insufficient_credits', 0)
  expect((await batches.find(accountId, batch.id))?.paused).toEqual(before)
  await work.pause(batch.id, 'account_frozen', 0)

  const after = (await batches.find(accountId, batch.id))?.paused
  expect(after?.for).toBe('account_frozen')
  expect(after?.since.getTime()).toBeGreaterThan(before!.since.getTime())
})
