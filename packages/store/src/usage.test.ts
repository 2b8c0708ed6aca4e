import { type AccountId, type KeyId, newAccountId, newCompletionId, newKeyId, uuidOf } from '@weir/contracts'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type StoreFixture, openStoreFixture } from './testing/store-fixture.ts'
import { type UsageQuery, createUsageStore } from './usage.ts'

let store: StoreFixture
beforeAll(async () => void (store = await openStoreFixture()))
afterAll(() => store[Symbol.asyncDispose]())

const january = { from: new Date('2026-01-01T00:00:00Z'), to: new Date('2026-02-01T00:00:00Z') }
const [keyA, keyB] = [newKeyId(), newKeyId()].sort() as [KeyId, KeyId]

/** A completion that used one token of each kind, and an image, for each microcredit it was charged, and ended then. */
type Ended = { at: string; model?: string; keyId?: KeyId; charged?: bigint }

async function accountWith(...all: Ended[]): Promise<AccountId> {
  const accountId = newAccountId()
  await endOf(accountId, all)
  return accountId
}

/** All in one batch. */
async function endOf(accountId: AccountId, all: Ended[]): Promise<void> {
  const ids = all.map(() => uuidOf(newCompletionId()))
  const charged = all.map(({ charged = 1n }) => charged)
  const each = <T>(value: T): T[] => all.map(() => value)
  await sql`select store.insert_completions(${each(true)}::boolean[], ${ids}::uuid[],
    ${each(uuidOf(accountId))}::uuid[], ${all.map(({ keyId = keyA }) => uuidOf(keyId))}::uuid[],
    ${all.map(({ model = 'fast' }) => model)}::text[], ${each(false)}::boolean[],
    ${each('2026-01-01')}::timestamptz[], ${each(false)}::boolean[], ${each(null)}::jsonb[],
    ${each(0)}::smallint[], ${each(false)}::boolean[], ${each(null)}::text[])`.execute(store.db)
  await sql`select store.end_completions(${ids}::uuid[], ${each('completed')}::text[], ${each(null)}::text[],
    ${each(null)}::text[], ${charged}::bigint[], ${charged}::bigint[], ${charged}::bigint[],
    ${charged}::bigint[], ${charged}::bigint[], ${charged}::bigint[], ${each('reported')}::text[], ${charged}::bigint[], ${each(1)}::smallint[], ${each(null)}::int[],
    ${all.map(({ at }) => at)}::timestamptz[], ${each(null)}::jsonb[])`.execute(store.db)
}

const usageOf = (accountId: AccountId, query: Partial<UsageQuery> = {}) =>
  createUsageStore(store.db).usageOf(accountId, { bucket: 'day', ...january, groupBy: [], limit: 100, ...query })

const used = (startsAt: string, requests: number, charged: bigint) => {
  const tokens = Number(charged)
  const input = { inputTokens: tokens, cachedInputTokens: tokens, cacheWriteTokens: tokens, images: tokens }
  const all = { ...input, outputTokens: tokens, reasoningTokens: tokens }
  return { startsAt: new Date(startsAt), model: null, keyId: null, requests, ...all, charged }
}

test('usage is summed by the hours, days and months of UTC in which completions ended', async () => {
  const accountId = await accountWith(
    { at: '2026-01-01T00:00:00+00', charged: 1n },
    { at: '2026-01-01T23:59:59.999999+00', charged: 2n },
    { at: '2026-01-02T01:30:00+02', charged: 4n },
    { at: '2026-01-31T23:00:00+00', charged: 8n },
  )

  expect(await usageOf(accountId, { bucket: 'hour' })).toEqual([
    used('2026-01-01T00:00:00Z', 1, 1n),
    used('2026-01-01T23:00:00Z', 2, 6n),
    used('2026-01-31T23:00:00Z', 1, 8n),
  ])
  expect(await usageOf(accountId)).toEqual([used('2026-01-01', 3, 7n), used('2026-01-31', 1, 8n)])
  expect(await usageOf(accountId, { bucket: 'month' })).toEqual([used('2026-01-01', 4, 15n)])
})

test('hours count where they begin: one before the period and one at its end do not', async () => {
  const accountId = await accountWith(
    { at: '2025-12-31T23:59:59+00' },
    { at: '2026-01-01T00:30:00+00', charged: 3n },
    { at: '2026-02-01T00:00:00+00' },
  )

  expect(await usageOf(accountId)).toEqual([used('2026-01-01', 1, 3n)])
  expect(await usageOf(accountId, { from: new Date('2026-01-01T00:30:00Z') })).toEqual([])
})

test('usage is told apart by model and key as it was asked for', async () => {
  const at = '2026-01-05T12:00:00+00'
  const accountId = await accountWith(
    { at, model: 'fast', keyId: keyA, charged: 1n },
    { at, model: 'fast', keyId: keyB, charged: 2n },
    { at, model: 'large', keyId: keyA, charged: 4n },
  )
  const by = async (query: Partial<UsageQuery>) =>
    (await usageOf(accountId, query)).map(({ model, keyId, charged }) => [model, keyId, charged])

  expect(await by({ groupBy: ['model'] })).toEqual([
    ['fast', null, 3n],
    ['large', null, 4n],
  ])
  expect(await by({ groupBy: ['key'] })).toEqual([
    [null, keyA, 5n],
    [null, keyB, 2n],
  ])
  expect(await by({ groupBy: ['model', 'key'] })).toEqual([
    ['fast', keyA, 1n],
    ['fast', keyB, 2n],
    ['large', keyA, 4n],
  ])
  expect(await by({ model: 'fast', keyId: keyB })).toEqual([[null, null, 2n]])
})

test.each([[[]], [['model']], [['key']], [['model', 'key']]] as const)(
  'usage is read page by page, whatever it is told apart by (%j)',
  async (groupBy) => {
    const days = ['2026-01-03', '2026-01-04', '2026-01-05']
    const accountId = await accountWith(
      { at: '2026-01-03T00:30:00+00', model: 'b', keyId: keyB, charged: 9n },
      ...days.flatMap((day) =>
        ['a', 'b'].flatMap((model) => [keyA, keyB].map((keyId) => ({ at: `${day}T05:00:00+00`, model, keyId }))),
      ),
    )
    // A period that begins within a day cuts that day's hours, on every page.
    const query = { groupBy, from: new Date('2026-01-03T01:00:00Z') }
    const all = await usageOf(accountId, query)

    const pages = []
    for (let after = undefined as UsageQuery['after']; ;) {
      const [row] = await usageOf(accountId, { ...query, limit: 1, after })
      if (!row) break
      pages.push(row)
      after = row
    }

    expect(pages).toEqual(all)
    expect(all).toHaveLength(days.length * 2 ** groupBy.length)
  },
)

test('an account does not see what another one used', async () => {
  await accountWith({ at: '2026-01-05T12:00:00+00' })

  expect(await usageOf(newAccountId())).toEqual([])
})

test('many completions that end at once are all counted', async () => {
  const at = '2026-01-09T12:00:00+00'
  const accountId = await accountWith(...Array.from({ length: 50 }, (_, n) => ({ at, model: `model ${n % 3}` })))

  expect(await usageOf(accountId)).toEqual([used('2026-01-09', 50, 50n)])
})

test('what ends in an hour in which others have ended is added to them, each kind of token by itself', async () => {
  const at = '2026-01-09T12:00:00+00'
  const accountId = await accountWith({ at, charged: 3n })

  await endOf(accountId, [{ at, charged: 4n }])

  expect(await usageOf(accountId)).toEqual([used('2026-01-09', 2, 7n)])
})

test('tokens beyond what one sum of them could hold are shown as a number all the same', async () => {
  const most = 2n ** 63n - 1n
  const accountId = await accountWith({ at: '2026-01-01T00:00:00Z' }, { at: '2026-01-01T01:00:00Z' })
  await sql`update store.usage_hour set input_tokens = ${most}, charged = ${most}
    where account_id = ${uuidOf(accountId)}`.execute(store.db)

  expect(await usageOf(accountId)).toMatchObject([{ requests: 2, inputTokens: 2 ** 64, charged: 2n * most }])
})
