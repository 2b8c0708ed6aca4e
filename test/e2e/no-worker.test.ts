import { openWeir, type Weir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, quick } from './testing/catalogue.ts'
import { asking, customerOf } from './testing/customer.ts'
import { expectShortRetryAfter, refusalOf } from './testing/failure.ts'
import { patiently } from './testing/patiently.ts'

let weir: Weir

beforeAll(async () => {
  weir = await openWeir({
    config: catalogueOf({ quick }),
    workers: 0,
    apiEnv: { WEIR_MAX_WAITING: '1', WEIR_COMPLETION_TIMEOUT_MS: '2000' },
  })
})
afterAll(() => weir?.[Symbol.asyncDispose]())

const untouched = { balance: 100, reserved: 0, available: 100 }

test('more completions than may wait for a worker are refused before anything is reserved for them', async () => {
  const [first, second] = [await customerOf(weir), await customerOf(weir)]
  const leave = new AbortController()
  const waiting = first.client.chat.completions.create(asking('quick'), { signal: leave.signal }).catch(() => {})
  await expect.poll(async () => (await first.credits()).reserved, patiently).toBeGreaterThan(0)
  const ask = () => refusalOf(second.client.chat.completions.create(asking('quick')))

  const refusal = await ask()

  expect(refusal).toMatchObject({ status: 503, type: 'server_error', code: 'overloaded' })
  expectShortRetryAfter(refusal)
  expect(await second.credits()).toEqual(untouched)
  leave.abort()
  await waiting
})

test('a call that no worker takes is a 504 and costs nothing, and a worker that comes later does not run it', async () => {
  await using fresh = await openWeir({
    config: catalogueOf({ quick }),
    workers: 0,
    apiEnv: { WEIR_COMPLETION_TIMEOUT_MS: '1000' },
  })
  const { client, credits, charges } = await customerOf(fresh)

  const refusal = await refusalOf(client.chat.completions.create(asking('quick')))
  await expect.poll(credits, patiently).toEqual(untouched)
  await fresh.startWorker()
  const later = await client.chat.completions.create(asking('quick'))

  expect(refusal).toMatchObject({ status: 504, code: 'deadline_exceeded' })
  expect(await charges()).toEqual([0.053])
  expect(await charges(later.id)).toEqual([0.053])
})
