import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { expect, inject, test } from 'vitest'
import { createSlots } from './slots.ts'
import { never, requestOf, target } from './testing/requests.ts'
import { withSlots } from './with-slots.ts'

function slotsFixture(leaseMs?: number) {
  const redis = new Redis(inject('redisUrl'))
  const prefix = `test-${randomUUID()}`
  const slots = createSlots(redis, prefix, { leaseMs })
  return {
    ...slots,
    held: () => redis.zrange(`${prefix}:slots:{gpu}`, 0, '-1'),
    take: (attempt: string, limit = 1, signal = never()) => slots.acquire({ backend: 'gpu', attempt, limit }, signal),
    give: (attempt: string) => slots.release({ backend: 'gpu', attempt }),
    [Symbol.asyncDispose]: async () => redis.disconnect(),
  }
}

test('many calls race for two slots and never more than two run', async () => {
  await using slots = slotsFixture()
  let most = 0

  const call = async (attempt: string) => {
    await slots.take(attempt, 2)
    most = Math.max(most, (await slots.held()).length)
    await slots.give(attempt)
  }
  await Promise.all(Array.from({ length: 8 }, (_, index) => call(`attempt-${index}`)))

  expect(most).toBe(2)
  expect(await slots.held()).toEqual([])
})

test('the slot of a worker that died comes free by itself, and one that is renewed does not', async () => {
  await using slots = slotsFixture(200)
  await slots.take('living', 2)
  const renewal = setInterval(() => void slots.renew({ backend: 'gpu', attempt: 'living' }), 20)
  await slots.take('dead', 2)

  await slots.take('next', 2)
  clearInterval(renewal)

  expect((await slots.held()).sort()).toEqual(['living', 'next'])
})

test('an attempt that asks again for its slot holds one, not two', async () => {
  await using slots = slotsFixture()
  await slots.take('same', 2)
  await slots.take('same', 2)

  expect(await slots.held()).toEqual(['same'])
})

test('waiting for a slot ends when the call is cancelled', async () => {
  await using slots = slotsFixture()
  await slots.take('first')
  const cancel = new AbortController()
  const waiting = slots.take('second', 1, cancel.signal)

  cancel.abort(new Error('enough'))

  await expect(waiting).rejects.toThrow('enough')
  expect(await slots.held()).toEqual(['first'])
})

test('a call holds a slot for as long as its answer lasts', async () => {
  await using slots = slotsFixture()
  const heldWhile: string[][] = []
  const backend = withSlots(
    {
      name: 'gpu',
      async *stream() {
        heldWhile.push(await slots.held())
        yield { type: 'text', choice: 0, text: 'a' }
      },
      [Symbol.asyncDispose]: async () => {},
    },
    slots,
    1,
  )

  for await (const _chunk of backend.stream(requestOf(), target, never())) break

  expect(heldWhile).toEqual([[expect.any(String)]])
  expect(await slots.held()).toEqual([])
})
