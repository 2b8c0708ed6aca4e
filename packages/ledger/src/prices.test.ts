import { type Price, costOf, newCompletionId, newPriceId } from '@weir/contracts'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Prices, createPrices } from './prices.ts'
import { type TestClock, takeClock } from './testing/clock.ts'
import { type LedgerFixture, openLedgerFixture } from './testing/ledger-fixture.ts'

const NOON = Date.UTC(2031, 0, 15, 12)
const hours = (count: number) => new Date(NOON + count * 3_600_000)
const priceOf = (output: bigint): Price => ({ input: 1_000_000n, cachedInput: 500_000n, output })

let ledger: LedgerFixture
let clock: TestClock
let prices: Prices
beforeAll(async () => {
  ledger = await openLedgerFixture()
  clock = await takeClock(ledger.db, hours(0))
  prices = createPrices(ledger.db)
})
beforeEach(() => clock.turnTo(hours(0)))
afterAll(() => ledger[Symbol.asyncDispose]())

let models = 0
const newModel = () => `model-${++models}`
const historyOf = async (model: string) =>
  (await prices.history(model, { limit: 10 })).map(({ price, source }) => [price.output, source])
const currentOf = async (model: string) =>
  (await prices.current()).filter((version) => version.model === model).map(({ price }) => price.output)

test('a catalogue is noted once, however often a process starts with it', async () => {
  const id = newModel()
  for (let i = 0; i < 3; i++) await prices.register([{ id, price: priceOf(7n) }])
  await Promise.all([1, 2, 3].map(() => prices.register([{ id, price: priceOf(8n) }])))

  expect(await historyOf(id)).toEqual([
    [8n, 'catalogue'],
    [7n, 'catalogue'],
  ])
})

test('a price past what a float can hold is kept to the picocredit', async () => {
  const model = newModel()
  const price = { input: 9_007_199_254_740_993n, cachedInput: 0n, output: 9_223_372_036_854_775_807n }

  const version = await prices.set(model, price)

  expect(version).toMatchObject({ model, price, source: 'admin', effectiveAt: hours(0) })
  expect(await prices.find(version.id)).toEqual(version)
})

test('every part of a price is kept, and what was not said stays unsaid', async () => {
  const tokens = { input: 3n, cachedInput: 1n, cacheWrite: 4n, output: 15n, reasoning: 12n }
  const all = { ...tokens, image: 10n ** 9n, request: 10n ** 8n, minimum: 10n ** 15n, batchDiscount: 50 }
  const model = newModel()

  await prices.set(model, all)
  await prices.register([{ id: model, price: tokens }])

  expect((await prices.history(model, { limit: 10 })).map(({ price }) => price)).toEqual([tokens, all])
})

test('one part of a price in the catalogue that changes makes a new version', async () => {
  const id = newModel()
  await prices.register([{ id, price: { ...priceOf(7n), batchDiscount: 50 } }])
  await prices.register([{ id, price: { ...priceOf(7n), batchDiscount: 50 } }])
  await prices.register([{ id, price: { ...priceOf(7n), batchDiscount: 40 } }])
  await prices.register([{ id, price: { ...priceOf(7n), batchDiscount: 40, minimum: 1n } }])

  expect(await historyOf(id)).toHaveLength(3)
})

test.each([
  ['half a picocredit', { input: '0.5', cachedInput: '1', output: '1' }],
  ['an amount that is no text', { input: 1, cachedInput: '1', output: '1' }],
  ['nothing for the output', { input: '1', cachedInput: '1' }],
  ['a discount of more than everything', { input: '1', cachedInput: '1', output: '1', batchDiscount: 101 }],
])('the books take no price that nobody could compute with: %s', async (_, price) => {
  const insert = sql`insert into ledger.price_version (id, model, effective_at, price, source)
    values (gen_random_uuid(), 'odd', now(), ${JSON.stringify(price)}, 'admin')`

  await expect(insert.execute(ledger.db)).rejects.toThrow('price_is_whole_picocredits')
})

test('what an operator sets is not undone by a restart with the same catalogue, but by one that says something new', async () => {
  const id = newModel()
  await prices.register([{ id, price: priceOf(7n) }])
  await clock.turnTo(hours(1))
  await prices.set(id, priceOf(9n))
  await clock.turnTo(hours(2))

  await prices.register([{ id, price: priceOf(7n) }])
  expect(await currentOf(id)).toEqual([9n])
  await prices.register([{ id, price: priceOf(6n) }])
  expect(await currentOf(id)).toEqual([6n])
})

test('a price takes effect on its time, and until then the one before it stands', async () => {
  const model = newModel()
  await prices.set(model, priceOf(1n))
  await prices.set(model, priceOf(3n), hours(3))
  await prices.set(model, priceOf(2n), hours(2))

  expect(await currentOf(model)).toEqual([1n, 2n, 3n])
  await clock.turnTo(hours(2))
  expect(await currentOf(model)).toEqual([2n, 3n])
  await clock.turnTo(hours(4))
  expect(await currentOf(model)).toEqual([3n])
  expect((await historyOf(model)).map(([output]) => output)).toEqual([3n, 2n, 1n])
})

test('of two prices of one time, the one that was set later stands', async () => {
  const model = newModel()
  await prices.set(model, priceOf(1n))
  await prices.set(model, priceOf(2n))

  expect(await currentOf(model)).toEqual([2n])
})

test('a price that is not known is not found', async () => {
  expect(await prices.find(newPriceId())).toBeUndefined()
})

test('a new price leaves what was quoted before at the price it was quoted with', async () => {
  const model = newModel()
  const quoted = await prices.set(model, priceOf(2_000_000n))
  const [accountId, completionId] = [await ledger.accountWith(100n), newCompletionId()]
  const usage = { inputTokens: 10, cachedInputTokens: 0, outputTokens: 20, source: 'reported' } as const
  await ledger.reserve(accountId, 60n, completionId, { priceId: quoted.id })
  await clock.turnTo(hours(1))
  await prices.set(model, priceOf(9_000_000n))

  const { priceId } = (await ledger.reservationOf(completionId))!
  const { price } = (await prices.find(priceId!))!
  const settled = await ledger.settle(accountId, completionId, costOf(price, usage))

  expect(settled).toEqual({ kind: 'closed', charged: 50n, uncollected: 0n })
})

test.each([
  ['changed', sql`update ledger.price_version set price = '{}'`],
  ['deleted', sql`delete from ledger.price_version`],
  ['truncated', sql`truncate ledger.price_version`],
])('prices cannot be %s', async (_, statement) => {
  await expect(statement.execute(ledger.db)).rejects.toThrow('price_version is append-only')
})
