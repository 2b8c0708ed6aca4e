import { type Weir, openWeir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, openai, quick } from './testing/catalogue.ts'
import { askedInBackground, cancelled, rawCallsOf, shown, untilStatus } from './testing/completions.ts'
import { asking, clientOf, customerOf, plainTextOf } from './testing/customer.ts'
import { failureOf, refusalOf } from './testing/failure.ts'
import { listening } from './testing/events.ts'
import { patiently } from './testing/patiently.ts'
import { type Upstream, openUpstream } from './testing/upstream.ts'

let upstream: Upstream
let weir: Weir

beforeAll(async () => {
  upstream = await openUpstream()
  weir = await openWeir({
    config: catalogueOf({ upstream: openai(upstream), quick }),
    apis: 2,
    workers: 2,
    apiEnv: { WEIR_DISCONNECT_GRACE_MS: '500' },
  })
})
afterAll(async () => {
  await weir?.[Symbol.asyncDispose]()
  await upstream?.[Symbol.asyncDispose]()
})

const untouched = { balance: 100, reserved: 0, available: 100 }

/** A customer who speaks to both replicas. */
async function customerOfBoth() {
  const customer = await customerOf(weir)
  return { ...customer, elsewhere: clientOf(customer.apiKey, weir.urls[1]!) }
}

/** A stream of which four words were said, and read at the first replica. */
async function runningStream(apiKey: string, more: object = {}, signal?: AbortSignal) {
  const body = { ...asking('upstream'), stream: true, ...more }
  const response = await rawCallsOf(weir, apiKey).create(body, {}, signal)
  const reader = listening(response)
  const call = await upstream.nextCall()
  call.say('One two three four')
  await expect.poll(reader.text, patiently).toBe('One two three four')
  return { id: response.headers.get('x-weir-completion-id')!, call, reader }
}
/** Six tokens of prompt and four of answer, by our own count. */
const FOUR_WORDS = 0.014

test('a completion that is cancelled while it waits never begins, and is free', async () => {
  await using idle = await openWeir({ config: catalogueOf({ upstream: openai(upstream), quick }), workers: 0 })
  const { client, credits, charges } = await customerOf(idle)
  const { id } = await askedInBackground(client, 'upstream')

  const ended = await cancelled(client, id)

  expect(ended).toMatchObject({ status: 'cancelled', choices: [], error: { code: 'cancelled' }, attempts: [] })
  expect(await credits()).toEqual(untouched)
  // Whoever was asked for it would have been asked before this one.
  await idle.startWorker()
  await client.chat.completions.create(asking('quick'))
  expect(await shown(client, id)).toEqual(ended)
  expect(await charges(id)).toEqual([])
})

test('a running completion is cancelled at its backend from any replica, and pays for what it generated', async () => {
  const { apiKey, elsewhere, charges, credits } = await customerOfBoth()
  const { id, call, reader } = await runningStream(apiKey, { background: true })

  const ended = await cancelled(elsewhere, id)

  await call.closed
  expect(ended).toMatchObject({
    status: 'cancelled',
    choices: [],
    error: { code: 'cancelled' },
    attempts: [{ attempt: 1, outcome: 'cancelled', target: 'upstream/words' }],
    usage: { credits_consumed: FOUR_WORDS },
  })
  expect(await charges(id)).toEqual([FOUR_WORDS])
  expect((await credits()).reserved).toBe(0)
  await reader.end
  expect(reader.events.at(-1)!.data).toContain('"code":"cancelled"')
})

test('cancelling again changes nothing', async () => {
  const { apiKey, client, elsewhere, charges } = await customerOfBoth()
  const { id } = await runningStream(apiKey)

  const [first, second] = await Promise.all([cancelled(client, id), cancelled(elsewhere, id)])
  const third = await cancelled(client, id)

  expect(first).toMatchObject({ status: 'cancelled' })
  expect(second).toEqual(first)
  expect(third).toEqual(first)
  expect(await charges(id)).toEqual([FOUR_WORDS])
})

test('a completion that has just finished stays as it finished', async () => {
  const { client, elsewhere, charges } = await customerOfBoth()
  const { id } = await askedInBackground(client, 'upstream')
  const call = await upstream.nextCall()
  call.say('All of it.')
  call.finish()
  const completed = await untilStatus(client, id, 'completed')

  expect(await cancelled(elsewhere, id)).toEqual(completed)

  expect(plainTextOf(await shown(client, id))).toBe('All of it.')
  expect(await charges(id)).toEqual([0.003])
})

test('completions that are cancelled while they finish end one way, and the books say which', async () => {
  const { client, elsewhere, charges, credits } = await customerOfBoth()
  const asked = await Promise.all(Array.from({ length: 20 }, () => askedInBackground(client, 'quick')))

  const ended = await Promise.all(asked.map(({ id }) => cancelled(elsewhere, id)))

  for (const { id, status, usage } of ended) {
    expect(['completed', 'cancelled']).toContain(status)
    expect(await shown(client, id)).toMatchObject({ status })
    const consumed = (usage as { credits_consumed?: number }).credits_consumed!
    expect(await charges(id)).toEqual(consumed === 0 ? [] : [consumed])
  }
  expect((await credits()).reserved).toBe(0)
})

test('a plain call that is cancelled by its id tells whoever waits for it', async () => {
  const { client, elsewhere, charges } = await customerOfBoth()
  const failing = failureOf(client.chat.completions.create(asking('upstream')))
  const call = await upstream.nextCall()
  const [running] = (await elsewhere.chat.completions.list()).data

  await cancelled(elsewhere, running!.id)

  expect(await failing).toMatchObject({ status: 499, code: 'cancelled', error: { completion_id: running!.id } })
  await call.closed
  expect(await charges()).toEqual([])
})

test('nobody cancels what belongs to another account', async () => {
  const [{ client }, stranger] = [await customerOf(weir), await customerOf(weir)]
  const { id } = await askedInBackground(client, 'upstream')
  const call = await upstream.nextCall()

  expect(await refusalOf(cancelled(stranger.client, id))).toMatchObject({ status: 404, code: 'not_found' })

  call.say('Still here.')
  call.finish()
  expect(plainTextOf(await untilStatus(client, id, 'completed'))).toBe('Still here.')
})

test('a stream whose reader leaves is cancelled after the grace', async () => {
  const { apiKey, client, charges } = await customerOfBoth()
  const leave = new AbortController()
  const { id, call } = await runningStream(apiKey, {}, leave.signal)

  leave.abort()

  await call.closed
  await untilStatus(client, id, 'cancelled')
  expect(await charges(id)).toEqual([FOUR_WORDS])
})

test.each([0, 1])('a stream that somebody has resumed at replica %i is not cancelled', async (replica) => {
  const { apiKey, client, charges } = await customerOfBoth()
  const leave = new AbortController()
  const { id, call, reader } = await runningStream(apiKey, {}, leave.signal)
  const another = await runningStream(apiKey, {}, leave.signal)

  leave.abort()
  const { get } = rawCallsOf(weir, apiKey, weir.urls[replica])
  const resumed = listening(await get(`/${id}/stream?starting_after=${reader.lastId()}`))
  // By then the grace is over for both.
  await another.call.closed
  call.say(' five')
  call.finish()
  await resumed.end

  expect(resumed.text()).toBe(' five')
  expect(await shown(client, id)).toMatchObject({ status: 'completed' })
  expect(await charges(id)).toEqual([0.003])
})

test('a stream that was resumed and left again is cancelled after all', async () => {
  const { apiKey, client } = await customerOfBoth()
  const [leave, leaveAgain] = [new AbortController(), new AbortController()]
  const { id, call } = await runningStream(apiKey, {}, leave.signal)
  const url = `${weir.urls[1]}/v1/chat/completions/${id}/stream`
  const headers = { authorization: `Bearer ${apiKey}` }
  const resumed = listening(fetch(url, { headers, signal: leaveAgain.signal }))
  await expect.poll(resumed.lastId, patiently).toBeGreaterThan(0)

  leave.abort()
  leaveAgain.abort()

  await call.closed
  await untilStatus(client, id, 'cancelled')
})
