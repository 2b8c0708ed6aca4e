import { expect, test } from 'vitest'
import { preferenceOf } from './preference.ts'

test.each([
  ['wait=5', 5_000],
  ['wait=0', 0],
  ['WAIT=5', 5_000],
  ['wait = "5"', 5_000],
  ['handling=lenient, wait=7', 7_000],
  ['wait=7; foo=bar', 7_000],
  ['wait=7, wait=9', 7_000],
  ['wait=999999999', 86_400_000],
])('%s is a wait of %i ms', (header, waitMs) => {
  expect(preferenceOf(header)).toEqual({ waitMs, respondAsync: false })
})

test.each(['respond-async', 'Respond-Async', 'respond-async; foo=1', 'handling=strict,respond-async'])(
  '%s is not to wait at all',
  (header) => {
    expect(preferenceOf(header)).toEqual({ waitMs: undefined, respondAsync: true })
  },
)

test('whoever would rather not wait, but would for a while, waits for that while', () => {
  expect(preferenceOf('respond-async, wait=10')).toEqual({ waitMs: 10_000, respondAsync: false })
})

test('a header that is sent twice is one header', () => {
  expect(preferenceOf(['handling=lenient', 'wait=3'])).toEqual({ waitMs: 3_000, respondAsync: false })
})

test.each(['', 'wait', 'wait=', 'wait=soon', 'wait=-1', 'wait=1.5', 'awaits=5', 'no-respond-async', 'wait=9999999999'])(
  '%j says nothing that we know, and is ignored',
  (header) => {
    expect(preferenceOf(header)).toEqual({ waitMs: undefined, respondAsync: false })
  },
)

test('no header is no preference', () => {
  expect(preferenceOf(undefined)).toBeUndefined()
})
