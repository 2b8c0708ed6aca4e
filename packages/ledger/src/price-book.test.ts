import { newPriceId } from '@weir/contracts'
import { afterEach, expect, test, vi } from 'vitest'
import { openPriceBook } from './price-book.ts'
import type { PriceVersion } from './prices.ts'

const NOON = Date.UTC(2031, 0, 15, 12)
const hours = (count: number) => new Date(NOON + count * 3_600_000)

afterEach(() => void vi.useRealTimers())

const versionOf = (model: string, output: bigint, effectiveAt: Date): PriceVersion => {
  return { id: newPriceId(), model, price: { input: 1n, cachedInput: 1n, output }, effectiveAt, source: 'admin' }
}

/** A price book over versions that the test may change; looking again takes an hour of the turned clock. */
async function priceBookFixture(versions: PriceVersion[]) {
  vi.useFakeTimers({ now: hours(0) })
  const registered: string[] = []
  const errors: unknown[] = []
  const database = { versions, isAway: false }
  const prices = {
    register: async (models: readonly { id: string }[]) => void registered.push(...models.map(({ id }) => id)),
    current: async () => {
      if (database.isAway) throw new Error('away')
      return database.versions
    },
  }
  const models = [...new Set(versions.map(({ model, price }) => ({ id: model, price })))]
  const book = await openPriceBook(prices, models, { refreshMs: 3_600_000, onError: (error) => errors.push(error) })
  return { database, registered, errors, outputOf: (model: string) => book.priceOf(model).price.output, book }
}

test('the prices of the catalogue are noted and known at once', async () => {
  const { registered, outputOf, book } = await priceBookFixture([
    versionOf('small', 1n, hours(-1)),
    versionOf('large', 5n, hours(-1)),
  ])
  await using _ = book

  expect(registered).toEqual(['small', 'large'])
  expect([outputOf('small'), outputOf('large')]).toEqual([1n, 5n])
  expect(() => outputOf('unknown')).toThrow('the model unknown has no price')
})

test('a price to come takes effect on its time without asking anybody', async () => {
  const { database, outputOf, book } = await priceBookFixture([
    versionOf('small', 1n, hours(-1)),
    versionOf('small', 2n, hours(2)),
  ])
  await using _ = book
  database.isAway = true

  vi.setSystemTime(hours(2).getTime() - 1)
  const before = outputOf('small')
  vi.setSystemTime(hours(2))

  expect([before, outputOf('small')]).toEqual([1n, 2n])
})

test('a price that is in force for Postgres is in force, though our clock is behind', async () => {
  const { outputOf, book } = await priceBookFixture([versionOf('small', 1n, hours(1))])
  await using _ = book

  expect(outputOf('small')).toBe(1n)
})

test('a price that an operator sets is known after the next look', async () => {
  const { database, outputOf, book } = await priceBookFixture([versionOf('small', 1n, hours(-1))])
  await using _ = book

  database.versions = [versionOf('small', 9n, hours(0))]
  await vi.advanceTimersByTimeAsync(3_600_000)

  expect(outputOf('small')).toBe(9n)
})

test('while Postgres is away the prices known last go on, and new ones are known when it is back', async () => {
  const { database, errors, outputOf, book } = await priceBookFixture([versionOf('small', 1n, hours(-1))])
  await using _ = book
  await vi.advanceTimersByTimeAsync(0)
  Object.assign(database, { versions: [versionOf('small', 9n, hours(0))], isAway: true })

  await vi.advanceTimersByTimeAsync(7_200_000)
  const meanwhile = outputOf('small')
  database.isAway = false
  await vi.advanceTimersByTimeAsync(3_600_000)

  expect([meanwhile, outputOf('small')]).toEqual([1n, 9n])
  expect(errors).toMatchObject([{ message: 'away' }, { message: 'away' }])
})
