import { newCompletionId } from '@weir/contracts'
import { type Weir, openWeir } from '@weir/local/testing'
import type OpenAI from 'openai'
import type { Stream } from 'openai/streaming'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, openai, quick } from './testing/catalogue.ts'
import { askedInBackground, errorOf, rawCallsOf } from './testing/completions.ts'
import { type Customer, asking, customerOf, textOf } from './testing/customer.ts'
import { type Event, eventsOf, listening, numbers, textOfEvents } from './testing/events.ts'
import { forgetEverything } from './testing/forget-everything.ts'
import { patiently } from './testing/patiently.ts'
import { type Upstream, openUpstream } from './testing/upstream.ts'

let upstream: Upstream
let weir: Weir
let customer: Customer

beforeAll(async () => {
  upstream = await openUpstream()
  const backends = { upstream: openai(upstream), quick, breaking: { ...quick, fault: 'break' } }
  weir = await openWeir({ config: catalogueOf(backends), apis: 2 })
  customer = await customerOf(weir, { credits: 1_000 })
})
afterAll(async () => {
  await weir?.[Symbol.asyncDispose]()
  await upstream?.[Symbol.asyncDispose]()
})

const callsAt = (replica: number) => rawCallsOf(weir, customer.apiKey, weir.urls[replica])
const streamed = (model: string, more: object = {}) => ({ ...asking(model), stream: true, ...more })
const idOf = (response: Response) => response.headers.get('x-weir-completion-id')!

/** A stream that has ended, and its events as they were first told. */
async function endedStream(model = 'quick', more: object = {}): Promise<{ id: string; events: Event[] }> {
  const response = await callsAt(0).create(streamed(model, more))
  return { id: idOf(response), events: await Array.fromAsync(eventsOf(response)) }
}

test.each([
  ['quick', '[DONE]'],
  ['breaking', '"code":"stream_interrupted"'],
])('the events of a stream are numbered from 1 to the last: %s', async (model, last) => {
  const { events } = await endedStream(model)

  expect(events.length).toBeGreaterThan(2)
  expect(events.map(({ id }) => id)).toEqual(numbers(1, events.length))
  expect(events.at(-1)!.data).toContain(last)
})

test.each([{}, { stream_options: { include_usage: true } }])(
  'every end of a stream that has ended is given again, at any replica: %j',
  async (more) => {
    const { id, events } = await endedStream('quick', more)

    for (let seen = 0; seen <= events.length; seen++) {
      const byHeader = await callsAt(1).get(`/${id}/stream`, { 'last-event-id': String(seen) })
      const byQuery = await callsAt(0).get(`/${id}/stream?starting_after=${seen}`)
      expect(await Array.fromAsync(eventsOf(byHeader))).toEqual(events.slice(seen))
      expect(await Array.fromAsync(eventsOf(byQuery))).toEqual(events.slice(seen))
    }
  },
)

test('a stream that ended with an error ends with it again', async () => {
  const { id, events } = await endedStream('breaking')

  const again = await callsAt(1).get(`/${id}/stream?starting_after=1`)

  expect(await Array.fromAsync(eventsOf(again))).toEqual(events.slice(1))
})

test('a reader that is cut off goes on at another replica while the stream runs, without a hole', async () => {
  const leave = new AbortController()
  const response = await callsAt(0).create(streamed('upstream'), {}, leave.signal)
  const first = listening(response)
  const call = await upstream.nextCall()
  call.say('One ')
  await expect.poll(first.text, patiently).toBe('One ')

  leave.abort()
  call.say('two ')
  const second = listening(callsAt(1).get(`/${idOf(response)}/stream`, { 'last-event-id': String(first.lastId()) }))
  await expect.poll(second.text, patiently).toBe('two ')
  call.say('three.')
  call.finish()
  await second.end

  expect([...first.ids(), ...second.ids()]).toEqual(numbers(1, second.lastId()))
  expect(first.text() + second.text()).toBe('One two three.')
  expect(second.events.at(-1)!.data).toBe('[DONE]')
  expect(await customer.charges(idOf(response))).toEqual([0.003])
})

test('several who watch one stream at several replicas are told the same', async () => {
  const response = await callsAt(0).create(streamed('upstream'))
  const call = await upstream.nextCall()
  call.say('One ')
  const watchers = [0, 1, 1].map((replica) => listening(callsAt(replica).get(`/${idOf(response)}/stream`)))
  for (const { text } of watchers) await expect.poll(text, patiently).toBe('One ')
  const late = listening(callsAt(1).get(`/${idOf(response)}/stream?starting_after=1`))
  call.say('two.')
  call.finish()

  const events = await Array.fromAsync(eventsOf(response))

  await Promise.all([...watchers, late].map(({ end }) => end))
  for (const watcher of watchers) expect(watcher.events).toEqual(events)
  expect(late.events).toEqual(events.slice(1))
  expect(textOfEvents(events)).toBe('One two.')
})

test('a stream that has said nothing yet can be followed before it begins', async () => {
  const response = await callsAt(0).create(streamed('upstream'))
  const watching = await callsAt(1).get(`/${idOf(response)}/stream`)
  const call = await upstream.nextCall()
  call.say('At last.')
  call.finish()

  const events = await Array.fromAsync(eventsOf(watching))

  expect(events).toEqual(await Array.fromAsync(eventsOf(response)))
})

test('the official client reads a stream that is resumed', async () => {
  const { id, events } = await endedStream()

  const resumed = await customer.client.get<Stream<OpenAI.ChatCompletionChunk>>(`/chat/completions/${id}/stream`, {
    stream: true,
  })

  expect(await textOf(resumed)).toBe(textOfEvents(events))
})

test('an answer that was not asked for as a stream can be followed as one', async () => {
  const { id } = await askedInBackground(customer.client, 'upstream')
  const call = await upstream.nextCall()
  const watching = listening(callsAt(1).get(`/${id}/stream`))
  call.say('All of it.')
  call.finish()
  await watching.end
  const again = listening(callsAt(0).get(`/${id}/stream`))
  await again.end

  expect(watching.text()).toBe('All of it.')
  expect(watching.ids()).toEqual(numbers(1, watching.lastId()))
  expect(again.events).toEqual(watching.events)
})

test('what is no longer kept is gone: 410, never a part of it', async () => {
  await using brief = await openWeir({
    config: catalogueOf({ quick }),
    apiEnv: { WEIR_RETENTION_MS: '1' },
    workerEnv: { WEIR_RETENTION_MS: '1' },
  })
  const { apiKey } = await customerOf(brief)
  const { create, get } = rawCallsOf(brief, apiKey)
  const response = await create(streamed('quick'))
  await response.text()

  const path = `/${idOf(response)}/stream`
  await expect.poll(async () => (await get(path)).status, patiently).toBe(410)
  expect(await errorOf(await get(`${path}?starting_after=3`))).toMatchObject({ status: 410, code: 'stream_expired' })
})

test('a background stream that Redis has forgotten is told from its beginning, and not from its middle', async () => {
  await using fresh = await openWeir({ config: catalogueOf({ quick }) })
  const { apiKey } = await customerOf(fresh)
  const { create, get } = rawCallsOf(fresh, apiKey)
  const kept = await create(streamed('quick', { background: true }))
  const text = textOfEvents(await Array.fromAsync(eventsOf(kept)))
  const unkept = await create(streamed('quick'))
  await unkept.text()

  await forgetEverything(fresh)

  const whole = await Array.fromAsync(eventsOf(await get(`/${idOf(kept)}/stream`)))
  expect(textOfEvents(whole)).toBe(text)
  expect(whole.at(-1)!.data).toBe('[DONE]')
  expect(await errorOf(await get(`/${idOf(kept)}/stream?starting_after=2`))).toMatchObject({ status: 410 })
  expect(await errorOf(await get(`/${idOf(unkept)}/stream`))).toMatchObject({ status: 410, code: 'stream_expired' })
})

test('a stream of somebody else, or that never was, is not there', async () => {
  const { id } = await endedStream()
  const stranger = await customerOf(weir)
  const strangersCalls = rawCallsOf(weir, stranger.apiKey)

  for (const response of [
    await strangersCalls.get(`/${id}/stream`),
    await callsAt(0).get(`/${newCompletionId()}/stream`),
  ])
    expect(await errorOf(response)).toMatchObject({ status: 404, code: 'not_found' })
})

test.each(['-1', 'x', '1.5'])('%s is no event to start after', async (after) => {
  const { id } = await endedStream()

  const byQuery = await callsAt(0).get(`/${id}/stream?starting_after=${after}`)
  const byHeader = await callsAt(0).get(`/${id}/stream`, { 'last-event-id': after })

  expect(await errorOf(byQuery)).toMatchObject({ status: 400, param: 'starting_after' })
  expect(await errorOf(byHeader)).toMatchObject({ status: 400, param: 'Last-Event-ID' })
})
