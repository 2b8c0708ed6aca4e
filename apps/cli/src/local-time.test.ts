import { expect, test } from 'vitest'
import { localTime } from './local-time.ts'

test('a local time names the same moment as the wire, whatever the zone', () => {
  const local = localTime('2026-01-01T00:00:00.000Z')

  expect(local).toMatch(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$/)
  expect(Date.parse(local)).toBe(Date.UTC(2026, 0, 1))
})
