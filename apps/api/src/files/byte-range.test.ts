import { expect, test } from 'vitest'
import { byteRangeOf } from './byte-range.ts'

test.each([
  ['bytes=0-0', { start: 0, end: 1 }],
  ['bytes=0-99', { start: 0, end: 100 }],
  ['bytes=10-', { start: 10, end: 100 }],
  ['bytes=10-5000', { start: 10, end: 100 }],
  ['bytes=-1', { start: 99, end: 100 }],
  ['bytes=-5000', { start: 0, end: 100 }],
  ['Bytes= 3-4 ', { start: 3, end: 5 }],
])('%s of a hundred bytes is that part', (header, range) => {
  expect(byteRangeOf(header, 100)).toEqual(range)
})

test.each([['bytes=100-'], ['bytes=100-200'], ['bytes=-0'], ['bytes=999999999999999-']])(
  '%s of a hundred bytes is nothing',
  (header) => {
    expect(byteRangeOf(header, 100)).toBe('unsatisfiable')
  },
)

test.each([[undefined], [''], ['bytes='], ['bytes=-'], ['bytes=5-4'], ['bytes=0-1,5-6'], ['lines=0-1'], ['bytes=a-b']])(
  '%s asks for the whole',
  (header) => {
    expect(byteRangeOf(header, 100)).toBeUndefined()
  },
)

test('an empty file has no part', () => {
  expect(['bytes=0-', 'bytes=-1'].map((header) => byteRangeOf(header, 0))).toEqual(['unsatisfiable', 'unsatisfiable'])
})
