import { type Weir, openWeir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, openai } from './testing/catalogue.ts'
import { asking, customerOf, plainTextOf, reading } from './testing/customer.ts'
import { failureOf } from './testing/failure.ts'
import { forgetEverything } from './testing/forget-everything.ts'
import { patiently } from './testing/patiently.ts'
import { type Upstream, openUpstream } from './testing/upstream.ts'

let upstream: Upstream
let weir: Weir

beforeAll(async () => {
  upstream = await openUpstream()
  weir = await openWeir({ config: catalogueOf({ upstream: openai(upstream) }) })
})
afterAll(async () => {
  await weir?.[Symbol.asyncDispose]()
  await upstream?.[Symbol.asyncDispose]()
})

test('Redis forgets everything while a call waits: it is handed over again, answered and charged once', async () => {
  const { client, charges } = await customerOf(weir)
  const asked = client.chat.completions.create(asking('upstream')).then(plainTextOf)
  const lost = await upstream.nextCall()

  await forgetEverything(weir)
  await lost.closed
  const again = await upstream.nextCall()
  again.say('Remembered.')
  again.finish()

  expect(await asked).toBe('Remembered.')
  expect(await charges()).toEqual([0.003])
})

test('Redis forgets a stream of which something was seen: its reader gets an error and pays nothing', async () => {
  const { client, credits } = await customerOf(weir)
  const reader = reading(client.chat.completions.create({ ...asking('upstream'), stream: true }))
  ;(await upstream.nextCall()).say('Half an ans')
  await expect.poll(reader.text, patiently).toBe('Half an ans')

  await forgetEverything(weir)
  const failure = await failureOf(reader.end)

  expect(failure).toMatchObject({ code: 'stream_interrupted' })
  expect(reader.finished()).toBe(false)
  await expect.poll(async () => (await credits()).balance, patiently).toBe(100)
})
