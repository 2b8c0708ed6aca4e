import type { Price } from '@weir/contracts'
import { expect, test } from 'vitest'
import { NewPrice, changedPrice } from './new-price.ts'

/** In picocredits: a credit for a million tokens is a million of them for one. */
const before: Price = { input: 4_000_000n, cachedInput: 1_000_000n, output: 8_000_000n, batchDiscount: 50 }
const changed = (asked: object, from = before) => changedPrice(from, NewPrice.parse({ model: 'quick', ...asked }))

test('parts of a price that are not named stay', () => {
  expect(changed({ input: 5, output: 9 })).toEqual({ ...before, input: 5_000_000n, output: 9_000_000n })
  expect(changed({ batch_discount: 20 })).toEqual({ ...before, batchDiscount: 20 })
})

test('null takes a part of a price away', () => {
  const { batchDiscount: _, ...undiscounted } = before

  expect(changed({ batch_discount: null })).toEqual(undiscounted)
  expect(changed({ cached_input: null, input: 5 })).toMatchObject({ input: 5_000_000n, cachedInput: 5_000_000n })
})

test('cached input that costs the same as input goes on doing so', () => {
  const same = { ...before, cachedInput: before.input }

  expect(changed({ input: 5 }, same).cachedInput).toBe(5_000_000n)
  expect(changed({ input: 5, cached_input: 4 }, same).cachedInput).toBe(4_000_000n)
})

test('a price in which nothing changes is refused', () => {
  expect(() => changed({ per: 1_000 })).toThrow('Name a part of the price')
})
