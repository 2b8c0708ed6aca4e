import { expect, test } from 'vitest'
import { createTurns } from './in-turn.ts'

test('so many run at once, and the others in their order, whether or not those before them fail', async () => {
  const inTurn = createTurns(2)
  const begun: number[] = []
  const turns = [0, 1, 2, 3].map(() => Promise.withResolvers<void>())
  const results = turns.map(({ promise }, i) =>
    inTurn(async () => {
      begun.push(i)
      await promise
      return i
    }),
  )

  expect(begun).toEqual([0, 1])
  turns[0]!.reject(new Error('no'))
  await expect(results[0]).rejects.toThrow('no')
  expect(begun).toEqual([0, 1, 2])
  for (const { resolve } of turns.slice(1)) resolve()

  expect(await Promise.all(results.slice(1))).toEqual([1, 2, 3])
  expect(await inTurn(async () => 'again')).toBe('again')
})
