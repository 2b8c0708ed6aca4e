import { type AccountId, newAccountId, newBatchId } from '@weir/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { shareItems } from './share-items.ts'

const batchOf = (accountId: AccountId, lines: { pending: number; running: number }, paused = false) => ({
  id: newBatchId(),
  accountId,
  lines,
  paused: paused ? { for: 'insufficient_credits' as const, since: new Date() } : undefined,
})

test('an account with many lines and one with few get the same, until the few are all given', () => {
  const [many, few] = [newAccountId(), newAccountId()]
  const large = batchOf(many, { pending: 20_000, running: 0 })
  const small = batchOf(few, { pending: 30, running: 0 })

  expect(shareItems([large, small], 40)).toEqual(
    new Map([
      [large.id, 20],
      [small.id, 20],
    ]),
  )
  expect(shareItems([large, small], 100).get(large.id)).toBe(70)
})

test('who already runs many lines waits until the others have as many', () => {
  const busy = batchOf(newAccountId(), { pending: 100, running: 30 })
  const idle = batchOf(newAccountId(), { pending: 100, running: 0 })

  expect(shareItems([busy, idle], 30)).toEqual(new Map([[idle.id, 30]]))
})

test('the batches of one account share its part', () => {
  const account = newAccountId()
  const batches = [0, 10].map((running) => batchOf(account, { pending: 100, running }))
  const other = batchOf(newAccountId(), { pending: 100, running: 10 })

  const shares = shareItems([...batches, other], 40)

  expect(shares.get(other.id)).toBe(20)
  expect(batches.map(({ id }) => shares.get(id))).toEqual([15, 5])
})

test('a paused batch is tried with one line', () => {
  const batch = batchOf(newAccountId(), { pending: 100, running: 0 }, true)

  expect(shareItems([batch], 40)).toEqual(new Map([[batch.id, 1]]))
})

test('all the room is given where there are lines for it, and nobody who could use it is left behind', () => {
  const accounts = Array.from({ length: 4 }, () => newAccountId())
  const batches = fc.array(
    fc
      .record({ account: fc.constantFrom(...accounts), pending: fc.nat(50), running: fc.nat(20) })
      .map(({ account, ...lines }) => batchOf(account, lines)),
    { maxLength: 12 },
  )
  fc.assert(
    fc.property(batches, fc.nat(100), (given, room) => {
      const shares = shareItems(given, room)

      const all = [...shares.values()].reduce((sum, n) => sum + n, 0)
      expect(all).toBe(
        Math.min(
          room,
          given.reduce((sum, { lines }) => sum + lines.pending, 0),
        ),
      )
      const running = (id: AccountId, extra = 0) =>
        given
          .filter(({ accountId }) => accountId === id)
          .reduce((sum, { id, lines }) => sum + lines.running + (shares.get(id) ?? 0), extra)
      const hungry = accounts.filter((id) =>
        given.some((batch) => batch.accountId === id && (shares.get(batch.id) ?? 0) < batch.lines.pending),
      )
      const fed = accounts.filter((id) => given.some((batch) => batch.accountId === id && shares.has(batch.id)))
      for (const one of hungry) for (const other of fed) expect(running(other)).toBeLessThanOrEqual(running(one) + 1)
    }),
  )
})
