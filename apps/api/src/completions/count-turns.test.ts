import { newAccountId } from '@weir/contracts'
import { expect, test } from 'vitest'
import { createCountTurns } from './count-turns.ts'

const [one, other] = [newAccountId(), newAccountId()]
const refused = { code: 'rate_limit_exceeded', retryAfterMs: 1_000, extra: { limit: { scope: 'account', value: 2 } } }

test('the counts of an account are taken one after another, beside those of another account', async () => {
  const inTurn = createCountTurns()
  const first = Promise.withResolvers<number>()
  const begun: string[] = []
  const counting = (name: string, count: () => Promise<number>) => () => (begun.push(name), count())

  const counts = [
    inTurn(
      one,
      counting('first', () => first.promise),
    ),
    inTurn(
      one,
      counting('second', async () => 2),
    ),
    inTurn(
      other,
      counting('of another', async () => 3),
    ),
  ]
  expect(await counts[2]).toBe(3)
  expect(begun).toEqual(['first', 'of another'])

  first.resolve(1)
  expect(await Promise.all(counts)).toEqual([1, 2, 3])
})

test('more counts at once than an account may have are refused, until one has ended, even badly', async () => {
  const inTurn = createCountTurns(2)
  const first = Promise.withResolvers<number>()
  const counts = [inTurn(one, () => first.promise), inTurn(one, async () => 2)]

  await expect(inTurn(one, async () => 3)).rejects.toMatchObject(refused)
  expect(await inTurn(other, async () => 4)).toBe(4)
  first.reject(new Error('the prompt cannot be counted'))
  await expect(counts[0]).rejects.toThrow('cannot be counted')

  expect(await counts[1]).toBe(2)
  expect(await Promise.all([inTurn(one, async () => 5), inTurn(one, async () => 6)])).toEqual([5, 6])
})
