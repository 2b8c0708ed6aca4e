import { openWeir, type Weir } from '@weir/local/testing'
import type OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, openai, quick } from './testing/catalogue.ts'
import { type Customer, asking, customerOf, plainTextOf, textOf } from './testing/customer.ts'
import { openUpstream, eventOf, type Upstream } from './testing/upstream.ts'

let upstream: Upstream
let weir: Weir
let customer: Customer
let client: OpenAI

beforeAll(async () => {
  upstream = await openUpstream()
  const backends = { quick, upstream: openai(upstream) }
  weir = await openWeir({ config: catalogueOf(backends, { quick: { aliases: ['gpt-4o-mini'] } }) })
  customer = await customerOf(weir)
  client = customer.client
})
afterAll(async () => {
  await weir?.[Symbol.asyncDispose]()
  await upstream?.[Symbol.asyncDispose]()
})

test('a plain call is answered in the shape that clients expect, and charged what it says', async () => {
  const completion = await client.chat.completions.create(asking('quick'))

  expect(completion).toEqual({
    id: expect.stringMatching(/^chatcmpl_[0-9a-z]{26}$/),
    object: 'chat.completion',
    created: expect.any(Number),
    model: 'quick',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: expect.stringMatching(/^Simulated answer from quick\//), refusal: null },
        finish_reason: 'stop',
        logprobs: null,
      },
    ],
    usage: {
      prompt_tokens: 5,
      completion_tokens: 24,
      total_tokens: 29,
      prompt_tokens_details: { cached_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 0 },
      credits_consumed: 0.053,
    },
  })
  expect(Number.isInteger(completion.created)).toBe(true)
  expect(completion._request_id).toMatch(/^req_/)
  expect(await customer.charges(completion.id)).toEqual([0.053])
})

test('a stream begins with the role, ends with a finish reason and is one completion throughout', async () => {
  const chunks = await chunksOf({ ...asking('quick'), stream: true })

  expect(new Set(chunks.map(({ id, created, model, object }) => [id, created, model, object].join())).size).toBe(1)
  expect(chunks[0]).toMatchObject({
    id: expect.stringMatching(/^chatcmpl_/),
    object: 'chat.completion.chunk',
    model: 'quick',
    choices: [{ index: 0, delta: { role: 'assistant' }, finish_reason: null }],
  })
  expect(chunks.flatMap(({ choices }) => choices.filter(({ delta }) => delta.role))).toHaveLength(1)
  expect(chunks.at(-1)?.choices).toMatchObject([{ delta: {}, finish_reason: 'stop' }])
  expect(chunks.some((chunk) => 'usage' in chunk)).toBe(false)
})

test('a stream that is asked for its usage ends with it, as it was charged', async () => {
  const chunks = await chunksOf({ ...asking('quick'), stream: true, stream_options: { include_usage: true } })

  const last = chunks.pop()
  expect(last?.choices).toEqual([])
  expect(last?.usage).toMatchObject({ prompt_tokens: 5, completion_tokens: 24, total_tokens: 29 })
  expect(chunks.every(({ usage }) => usage === null)).toBe(true)
  expect(await customer.charges(last?.id)).toEqual([creditsConsumed(last?.usage)])
})

test('a stream gives the same text as a plain call, also through the helper of the client', async () => {
  const plain = await client.chat.completions.create(asking('quick'))
  const streamed = await textOf(await client.chat.completions.create({ ...asking('quick'), stream: true }))
  const helped = await client.chat.completions.stream(asking('quick')).finalChatCompletion()

  expect(streamed).toBe(plain.choices[0]?.message.content)
  expect(helped.choices[0]?.message.content).toBe(streamed)
  expect(helped.choices[0]?.finish_reason).toBe('stop')
})

test('on the wire a stream is whole lines of JSON with the headers that keep proxies from holding it back', async () => {
  const response = await client.chat.completions.create({ ...asking('quick'), stream: true }).asResponse()
  const events = (await response.text()).split('\n\n')

  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
  expect(response.headers.get('cache-control')).toBe('no-cache')
  expect(response.headers.get('x-accel-buffering')).toBe('no')
  expect(response.headers.get('content-encoding')).toBeNull()
  expect(response.headers.get('x-request-id')).toMatch(/^req_/)
  expect(events.pop()).toBe('')
  expect(events.pop()).toBe(`id: ${events.length + 1}\ndata: [DONE]`)
  for (const [i, event] of events.entries())
    expect(JSON.parse(event.replace(`id: ${i + 1}\ndata: `, ''))).toHaveProperty('choices')
})

test.each([['gpt-4o-mini'], ['auto'], [undefined], ['quick/words']])(
  'the name %s leads to the model quick, and the answer says so',
  async (name) => {
    const completion = await client.chat.completions.create({ ...asking('quick'), model: name as string })

    expect(completion.model).toBe('quick')
  },
)

test('fields that a client sets to null are fields it did not set', async () => {
  const nothing = { stop: null, temperature: null, max_tokens: null, stream: null, metadata: null, n: null }

  const completion = await client.chat.completions.create({ ...asking('quick'), ...nothing })

  expect(completion.usage?.completion_tokens).toBe(24)
})

test('the cap on output tokens holds, and the finish reason tells that it cut the answer', async () => {
  const completion = await client.chat.completions.create({ ...asking('quick'), max_completion_tokens: 7 })

  expect(completion.usage?.completion_tokens).toBe(7)
  expect(completion.choices[0]?.finish_reason).toBe('length')
})

test.each([
  ['plain call', async () => plainTextOf(await client.chat.completions.create(asking('upstream')))],
  ['stream', async () => textOf(await client.chat.completions.create({ ...asking('upstream'), stream: true }))],
])('characters that the backend splits between two packets arrive whole in a %s', async (_, ask) => {
  const text = '水を分ける 🏞️👩‍👩‍👧‍👦 — and “done”\n\u2028'
  const asked = ask()
  const call = await upstream.nextCall()
  const event = eventOf({ choices: [{ index: 0, delta: { content: text }, finish_reason: null }] })
  for (const byte of Buffer.from(event)) await sendAlone(call, byte)
  call.finish()

  expect(await asked).toBe(text)
})

/** Each write leaves as a packet of its own: the next one waits for the event loop to have turned. */
async function sendAlone(call: { send(bytes: Uint8Array): void }, byte: number) {
  call.send(Uint8Array.of(byte))
  await new Promise((resolve) => setImmediate(resolve))
}

async function chunksOf(request: OpenAI.ChatCompletionCreateParamsStreaming): Promise<OpenAI.ChatCompletionChunk[]> {
  const chunks: OpenAI.ChatCompletionChunk[] = []
  for await (const chunk of await client.chat.completions.create(request)) chunks.push(chunk)
  return chunks
}

const creditsConsumed = (usage: object | null | undefined): unknown =>
  usage && 'credits_consumed' in usage ? usage.credits_consumed : undefined
