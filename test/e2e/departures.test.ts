import { type AccountId, uuidOf } from '@weir/contracts'
import { openWeir, type Weir } from '@weir/local/testing'
import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, openai, quick } from './testing/catalogue.ts'
import { asking, customerOf, textOf } from './testing/customer.ts'
import { patiently } from './testing/patiently.ts'
import { rowsOf } from './testing/rows.ts'
import { openTcpProxy } from './testing/tcp-proxy.ts'
import { type Upstream, openUpstream } from './testing/upstream.ts'

let upstream: Upstream
let weir: Weir

beforeAll(async () => {
  upstream = await openUpstream()
  weir = await openWeir({
    config: catalogueOf({ quick, upstream: openai(upstream) }),
    apiEnv: { WEIR_DISCONNECT_GRACE_MS: '50', WEIR_KEEP_ALIVE_MS: '20' },
  })
})
afterAll(async () => {
  await weir?.[Symbol.asyncDispose]()
  await upstream?.[Symbol.asyncDispose]()
})

test('a plain call that its client abandons is cancelled at the backend and costs nothing', async () => {
  const { client, credits, charges } = await customerOf(weir)
  const leave = new AbortController()
  const asked = client.chat.completions.create(asking('upstream'), { signal: leave.signal })
  const call = await upstream.nextCall()
  expect(await credits()).toMatchObject({ reserved: expect.closeTo(2.16, 1) })

  leave.abort()

  await expect(asked).rejects.toBeInstanceOf(OpenAI.APIUserAbortError)
  await call.closed
  await expect.poll(credits, patiently).toEqual({ balance: 100, reserved: 0, available: 100 })
  expect(await charges()).toEqual([])
})

test('a stream that its client leaves is cancelled at the backend and costs what was generated', async () => {
  const { client, credits, charges } = await customerOf(weir)
  const asked = client.chat.completions.create({ ...asking('upstream'), stream: true })
  const call = await upstream.nextCall()
  call.say('One two three four')

  let id = ''
  for await (const chunk of await asked) {
    id = chunk.id
    if (chunk.choices[0]?.delta.content) break
  }

  await call.closed
  await expect.poll(async () => (await credits()).reserved, patiently).toBe(0)
  // Six tokens of prompt and four of answer, by our own count: the backend told none.
  expect(await charges(id)).toEqual([0.014])
  expect((await credits()).balance).toBe(99.986)
})

test('a stream that its client leaves before the first word costs nothing', async () => {
  const { client, credits, charges } = await customerOf(weir)
  const stream = await client.chat.completions.create({ ...asking('upstream'), stream: true })
  const call = await upstream.nextCall()

  stream.controller.abort()

  await call.closed
  await expect.poll(credits, patiently).toEqual({ balance: 100, reserved: 0, available: 100 })
  expect(await charges()).toEqual([])
})

test('a call that its client abandons while it is still being admitted is not run at its cost', async () => {
  await using postgres = await openTcpProxy(weir.databaseUrl)
  const api = await weir.startApi({ DATABASE_URL: postgres.url })
  const { client, accountId, charges } = await customerOf(weir, { baseUrl: `http://127.0.0.1:${api.port}` })
  await client.models.list()
  const leave = new AbortController()
  const admitting = postgres.silenceAt('ledger.apply')
  const asked = client.chat.completions.create(asking('quick'), { signal: leave.signal })
  await admitting

  leave.abort()
  await expect(asked).rejects.toBeInstanceOf(OpenAI.APIUserAbortError)
  await postgres.cut()
  await postgres.restore()

  const ended = `select state from store.completion where account_id = $1 and state <> 'queued'`
  const states = () => rowsOf(weir.databaseUrl, ended, [uuidOf(accountId as AccountId)])
  await expect.poll(states, patiently).toHaveLength(1)
  expect(await charges()).toEqual([])
})

test('a stream with nothing to say yet is kept alive by comments, which clients ignore', async () => {
  const { client } = await customerOf(weir)
  const { data: stream, response } = await client.chat.completions
    .create({ ...asking('upstream'), stream: true })
    .withResponse()
  const raw = await client.chat.completions.create({ ...asking('upstream'), stream: true }).asResponse()
  const [first, second] = [await upstream.nextCall(), await upstream.nextCall()]
  const reader = raw.body!.pipeThrough(new TextDecoderStream()).getReader()

  let seen = ''
  while (seen.split(': keep-alive\n\n').length < 4) seen += (await reader.read()).value
  for (const call of [first, second]) {
    call.say('At last.')
    call.finish()
  }

  expect(response.status).toBe(200)
  expect(await textOf(stream)).toBe('At last.')
  expect(seen.replaceAll(': keep-alive\n\n', '')).toBe('')
  await reader.cancel()
})
