import { expect, test } from 'vitest'
import { type Delivery, type EndedBy, type UsageKnowledge, chargeFor, charging } from './charging.ts'
import type { Usage } from './usage.ts'

const price = { input: 1_000_000n, cachedInput: 500_000n, output: 2_000_000n }
const used = { inputTokens: 10, cachedInputTokens: 4, outputTokens: 5 }
const usages: Record<UsageKnowledge, Usage> = {
  reported: { ...used, source: 'reported' },
  estimated: { ...used, source: 'estimated' },
  zero: { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, source: 'reported' },
}
const FULL = 10n + 2n + 10n

const cells: [EndedBy, Delivery, UsageKnowledge, bigint][] = [
  ['backend', 'delivered', 'reported', FULL],
  ['backend', 'delivered', 'estimated', FULL],
  ['backend', 'delivered', 'zero', 0n],
  ['backend', 'undelivered', 'reported', FULL],
  ['backend', 'undelivered', 'estimated', 0n],
  ['backend', 'undelivered', 'zero', 0n],
  ['limit', 'delivered', 'reported', FULL],
  ['limit', 'delivered', 'estimated', FULL],
  ['limit', 'delivered', 'zero', 0n],
  ['limit', 'undelivered', 'reported', FULL],
  ['limit', 'undelivered', 'estimated', 0n],
  ['limit', 'undelivered', 'zero', 0n],
  ['client', 'delivered', 'reported', FULL],
  ['client', 'delivered', 'estimated', FULL],
  ['client', 'delivered', 'zero', 0n],
  ['client', 'undelivered', 'reported', FULL],
  ['client', 'undelivered', 'estimated', 0n],
  ['client', 'undelivered', 'zero', 0n],
  ['us', 'delivered', 'reported', 0n],
  ['us', 'delivered', 'estimated', 0n],
  ['us', 'delivered', 'zero', 0n],
  ['us', 'undelivered', 'reported', 0n],
  ['us', 'undelivered', 'estimated', 0n],
  ['us', 'undelivered', 'zero', 0n],
]

test.each(cells)('ended by %s, %s, usage %s: charged %s microcredits', (endedBy, delivery, knowledge, expected) => {
  const end = { endedBy, delivered: delivery === 'delivered', usage: usages[knowledge] }

  expect(chargeFor(price, end)).toBe(expected)
})

test('every cell of the table is among the cases', () => {
  const known = Object.entries(charging).flatMap(([endedBy, byDelivery]) =>
    Object.entries(byDelivery).flatMap(([delivery, byKnowledge]) =>
      Object.keys(byKnowledge).map((knowledge) => `${endedBy} ${delivery} ${knowledge}`),
    ),
  )

  expect(cells.map(([endedBy, delivery, knowledge]) => `${endedBy} ${delivery} ${knowledge}`).sort()).toEqual(
    known.sort(),
  )
})
