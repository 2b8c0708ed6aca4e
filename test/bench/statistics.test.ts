import { expect, test } from 'vitest'
import { median, percentile } from './statistics.ts'

test('a percentile is a value that occurred, and nothing has none', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)

  expect(percentile(hundred, 0.5)).toBe(50)
  expect(percentile(hundred, 0.99)).toBe(99)
  expect(percentile([7], 0.99)).toBe(7)
  expect(percentile([], 0.5)).toBeUndefined()
})

test('a median leaves out what is missing, and a noisy slice does not move it', () => {
  expect(median([3, undefined, 1, 900])).toBe(3)
  expect(median([1, 3])).toBe(2)
  expect(median([undefined])).toBeUndefined()
})
