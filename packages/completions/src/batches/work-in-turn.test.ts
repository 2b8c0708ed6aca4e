import { newAccountId, newBatchId } from '@weir/contracts'
import { createLogger } from '@weir/runtime'
import type { Batch, Turn } from '@weir/store'
import { expect, test } from 'vitest'
import { createWorkInTurn } from './work-in-turn.ts'

const log = createLogger({ name: 'test', level: 'silent' })
const [eve, bob] = [newAccountId(), newAccountId()]
const batchOf = (accountId: string) => ({ id: newBatchId(), accountId }) as Batch

/** Batches that wait, taken as the store takes them. */
function waiting(batches: Batch[]) {
  const left = [...batches]
  const take = async (_leaseMs: number, { served, busy }: Turn) => {
    const free = left.filter(({ accountId }) => !busy.includes(accountId))
    const [first] = free.toSorted((a, b) => served.indexOf(a.accountId) - served.indexOf(b.accountId))
    if (first) left.splice(left.indexOf(first), 1)
    return first
  }
  return { take, left, putBack: (batch: Batch) => left.push(batch) }
}

const signal = new AbortController().signal

test('who was served longest ago is served next', async () => {
  const { take } = waiting([batchOf(eve), batchOf(eve), batchOf(eve), batchOf(bob)])
  const order: string[] = []

  await createWorkInTurn({ take, workOn: async ({ accountId }) => void order.push(accountId), log })(signal)

  expect(order).toEqual([eve, bob, eve, eve])
})

test('two that work at once never work for the same account', async () => {
  const { take, left } = waiting([batchOf(eve), batchOf(eve), batchOf(bob)])
  const held = Promise.withResolvers<void>()
  const busy: string[] = []
  const workOn = async ({ accountId }: Batch) => {
    busy.push(accountId)
    await held.promise
  }
  const work = createWorkInTurn({ take, workOn, log })

  const [first, second, third] = [work(signal), work(signal), work(signal)]
  await third

  expect(busy).toEqual([eve, bob])
  expect(left).toHaveLength(1)
  held.resolve()
  await Promise.all([first, second])
  expect(left).toEqual([])
})

test('a batch that fails again and again through a fault of ours is given up', async () => {
  const poison = batchOf(eve)
  const { take, putBack } = waiting([poison])
  let tries = 0
  const given: Batch[] = []
  const workOn = async (batch: Batch) => {
    tries++
    putBack(batch)
    throw new Error('a bug')
  }
  const giveUp = async (batch: Batch) => {
    given.push(batch)
    await take(0, { served: [], busy: [] })
  }

  await createWorkInTurn({ take, workOn, giveUp, log })(signal)

  expect(tries).toBe(5)
  expect(given).toEqual([poison])
})
