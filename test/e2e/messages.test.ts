import Anthropic from '@anthropic-ai/sdk'
import { type Weir, openWeir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, hanging, quick } from './testing/catalogue.ts'
import { type Customer, asking, customerOf, textOf } from './testing/customer.ts'
import { numbers } from './testing/events.ts'
import { type Told, askingMessage, messagesClientOf, namedEventsOf, rawMessagesOf } from './testing/messages.ts'
import { patiently } from './testing/patiently.ts'

let weir: Weir
let customer: Customer
let client: Anthropic
let raw: ReturnType<typeof rawMessagesOf>

beforeAll(async () => {
  const backends = { quick, hanging, breaking: { ...quick, fault: 'break' } }
  weir = await openWeir({ config: catalogueOf(backends) })
  customer = await customerOf(weir, { credits: 1_000 })
  client = messagesClientOf(customer.apiKey, weir.url)
  raw = rawMessagesOf(weir.url, customer.apiKey)
})
afterAll(() => weir?.[Symbol.asyncDispose]())

const told = async (response: Response | Promise<Response>) => (await (await response).json()) as Told
const costOf = (message: Anthropic.Message) => (message.usage as unknown as Told['usage']).credits_consumed
/** What a stream says that it cost, at its end. */
async function streamedCost(request: Anthropic.MessageCreateParamsNonStreaming): Promise<number | undefined> {
  let cost: number | undefined
  for await (const event of await client.messages.create({ ...request, stream: true }))
    if (event.type === 'message_delta') cost = (event.usage as unknown as Told['usage']).credits_consumed
  return cost
}
const saidIn = ({ content }: Pick<Anthropic.Message, 'content'>) =>
  content.map((block) => (block.type === 'text' ? block.text : '')).join('')

test('a message is answered in the shape of its API, and charged what it says', async () => {
  const message = await client.messages.create(askingMessage('quick'))

  expect(message).toMatchObject({ type: 'message', role: 'assistant', model: 'quick', stop_reason: 'end_turn' })
  expect(message.id).toMatch(/^msg_[0-9a-z]{26}$/)
  expect(saidIn(message)).not.toBe('')
  expect(message.usage.output_tokens).toBeGreaterThan(0)
  expect(await customer.charges(message.id.replace('msg_', 'chatcmpl_'))).toEqual([costOf(message)])
})

test('a streamed message tells the events of its API in their order, and adds up to a whole one', async () => {
  const stream = client.messages.stream(askingMessage('quick'))
  const names: string[] = []
  stream.on('streamEvent', ({ type }) => void (names.at(-1) !== type && names.push(type)))

  const message = await stream.finalMessage()

  expect(names).toEqual([
    'message_start',
    'content_block_start',
    'content_block_delta',
    'content_block_stop',
    'message_delta',
    'message_stop',
  ])
  expect(message).toMatchObject({ model: 'quick', stop_reason: 'end_turn' })
  expect(saidIn(message)).not.toBe('')
})

test('the same work costs the same in both APIs, plain and streamed', async () => {
  const content = 'Exactly the same words.'
  const { usage } = await customer.client.chat.completions.create({ ...asking('quick', content), max_tokens: 100 })
  const chat = (usage as unknown as { credits_consumed: number }).credits_consumed
  const plain = await client.messages.create(askingMessage('quick', content))
  const streamed = await streamedCost(askingMessage('quick', content))

  expect(chat).toBeGreaterThan(0)
  expect([costOf(plain), streamed]).toEqual([chat, chat])
})

test('a tool that must be called is called, with input that is an object', async () => {
  const tool = {
    name: 'look_up',
    input_schema: { type: 'object' as const, properties: { place: { type: 'string' } }, required: ['place'] },
  }
  const request = { ...askingMessage('quick'), tools: [tool], tool_choice: { type: 'any' as const } }
  const message = await client.messages.create(request)
  const streamed = await client.messages.stream(request).finalMessage()

  for (const { stop_reason, content } of [message, streamed]) {
    expect(stop_reason).toBe('tool_use')
    expect(content.at(-1)).toMatchObject({ type: 'tool_use', name: 'look_up', input: { place: expect.any(String) } })
  }
  const call = message.content.at(-1) as Anthropic.ToolUseBlock
  const answered = await client.messages.create({
    ...askingMessage('quick'),
    tools: [tool],
    messages: [
      { role: 'user', content: 'Where is it?' },
      { role: 'assistant', content: [call] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: 'In the north.' }] },
    ],
  })
  expect(answered.stop_reason).toBe('end_turn')
})

test('queries and betas that nobody knows are ignored', async () => {
  const response = await raw.post('/v1/messages?beta=true', askingMessage('quick'), { 'anthropic-beta': 'one,two' })

  expect(response.status).toBe(200)
})

test('a key that comes in the header of its own counts before a bearer', async () => {
  const ask = (headers: Record<string, string>) => raw.post('/v1/messages', askingMessage('quick'), headers)

  expect((await ask({ authorization: 'Bearer nonsense' })).status).toBe(200)
  const refused = await ask({ authorization: `Bearer ${customer.apiKey}`, 'x-api-key': 'nonsense' })
  expect([refused.status, await refused.json()]).toMatchObject([401, { error: { type: 'authentication_error' } }])
})

test('sampling is of the first generation only', async () => {
  const body = { ...askingMessage('quick'), temperature: 0.5 }
  const answered = await raw.post('/v1/messages', body)
  const refused = await raw.post('/v1/messages', body, { 'anthropic-version': '2026-10-21' })

  expect(answered.status).toBe(200)
  expect([refused.status, await refused.json()]).toMatchObject([
    400,
    { type: 'error', error: { type: 'invalid_request_error', details: { param: 'temperature' } } },
  ])
})

test('a message that ended can be asked for in both APIs, by either spelling of its id', async () => {
  const message = (await client.messages.create({
    ...askingMessage('quick'),
    store: true,
  } as never)) as Anthropic.Message
  const completionId = message.id.replace('msg_', 'chatcmpl_')

  for (const id of [message.id, completionId]) {
    expect(await told(raw.get(`/v1/messages/${id}`))).toMatchObject({
      ...message,
      status: 'completed',
      background: false,
      attempts: [{ attempt: 1, outcome: 'completed' }],
    })
    const chat = await customer.client.chat.completions.retrieve(id)
    expect(chat).toMatchObject({ id: completionId, choices: [{ message: { content: saidIn(message) } }] })
  }
})

test('a message in the background is accepted, shown while it waits, and cancelled', async () => {
  const response = await raw.post('/v1/messages', { ...askingMessage('hanging'), background: true })
  const accepted = await told(response)

  expect(response.status).toBe(202)
  expect(response.headers.get('location')).toBe(`/v1/messages/${accepted.id}`)
  expect(accepted).toMatchObject({ type: 'message', content: [], stop_reason: null, status: 'queued' })
  await expect
    .poll(async () => (await told(raw.get(`/v1/messages/${accepted.id}`))).status, patiently)
    .toBe('in_progress')
  expect(await told(raw.post(`/v1/messages/${accepted.id}/cancel`))).toMatchObject({
    id: accepted.id,
    status: 'cancelled',
    content: [],
    error: { type: expect.any(String), message: expect.any(String) },
  })
})

test('a message that is preferred to be waited for only so long is accepted then', async () => {
  const response = await raw.post('/v1/messages', askingMessage('hanging'), { prefer: 'wait=0' })
  const { id, status } = await told(response)

  expect([response.status, response.headers.get('preference-applied')]).toEqual([202, 'wait=0'])
  expect(['queued', 'in_progress']).toContain(status)
  await raw.post(`/v1/messages/${id}/cancel`)
})

test('a message with an idempotency key is made once, and told again plain and streamed', async () => {
  const headers = { 'idempotency-key': 'the-message' }
  const first = await told(raw.post('/v1/messages', askingMessage('quick'), headers))
  const again = await raw.post('/v1/messages', askingMessage('quick'), headers)
  const other = await raw.post('/v1/messages', askingMessage('quick', 'Something else.'), headers)

  expect(again.headers.get('idempotent-replayed')).toBe('true')
  expect(await told(again)).toEqual(first)
  expect([other.status, await other.json()]).toMatchObject([
    400,
    { type: 'error', error: { type: 'invalid_request_error', details: { error_code: 'idempotency_key_reused' } } },
  ])
})

test('the events of a stream are numbered, and whoever has some of them is given the rest', async () => {
  const response = await raw.post('/v1/messages', { ...askingMessage('quick'), stream: true })
  const id = response.headers.get('x-weir-completion-id')!.replace('chatcmpl_', 'msg_')
  const events = await namedEventsOf(response)

  expect(events.map(({ id }) => id)).toEqual(numbers(1, events.length))
  expect(events.map(({ event, data }) => event === data['type'])).not.toContain(false)
  for (const seen of [0, 1, 3, events.length - 1, events.length]) {
    const rest = await raw.get(`/v1/messages/${id}/stream?beta=true`, { 'last-event-id': String(seen) })
    expect(await namedEventsOf(rest)).toEqual(events.slice(seen))
  }
})

test('a stream that was begun in one API can be followed in the other', async () => {
  const response = await raw.post('/v1/messages', { ...askingMessage('quick'), stream: true })
  const id = response.headers.get('x-weir-completion-id')!
  const said = (await namedEventsOf(response)).map(({ data }) => (data['delta'] as { text?: string })?.text ?? '')

  const chat = await customer.client.get(`/chat/completions/${id}/stream`, { stream: true })
  expect(await textOf(chat as never)).toBe(said.join(''))
})

test('a stream that breaks ends with an error that names its request', async () => {
  const response = await raw.post('/v1/messages', { ...askingMessage('breaking'), stream: true })
  const events = await namedEventsOf(response)

  expect(events.at(-1)).toMatchObject({
    event: 'error',
    data: { type: 'error', error: { type: 'api_error' }, request_id: response.headers.get('request-id') },
  })
  expect(events.map(({ event }) => event)).not.toContain('message_stop')
  await expect(client.messages.stream(askingMessage('breaking')).finalMessage()).rejects.toThrow(Anthropic.APIError)
})

test.each([
  ['a body that is no JSON', '/v1/messages', '{', 400, 'invalid_request_error'],
  ['an empty body', '/v1/messages', '', 400, 'invalid_request_error'],
  [
    'a field that is missing',
    '/v1/messages',
    { messages: [{ role: 'user', content: 'Hi' }] },
    400,
    'invalid_request_error',
  ],
  ['a model that does not exist', '/v1/messages', askingMessage('nobody'), 404, 'not_found_error'],
  ['a path that does not exist', '/v1/elsewhere', {}, 404, 'not_found_error'],
  ['a path below messages that does not exist', '/v1/messages/batches/x/y', {}, 404, 'not_found_error'],
])('%s is refused in the envelope of the API', async (_, path, body, status, type) => {
  const response = await raw.post(path, body)

  expect(response.status).toBe(status)
  const requestId = response.headers.get('request-id')
  expect(requestId).toMatch(/^req_/)
  expect(response.headers.get('x-request-id')).toBe(requestId)
  expect(await response.json()).toMatchObject({
    type: 'error',
    error: { type, message: expect.any(String) },
    request_id: requestId,
  })
})

test('what is wrong is named as the client wrote it', async () => {
  const paramOf = async (more: object) =>
    (
      (await (await raw.post('/v1/messages', { ...askingMessage('quick'), ...more })).json()) as {
        error: { details: object }
      }
    ).error.details

  expect(await paramOf({ max_tokens: 0 })).toMatchObject({ param: 'max_tokens' })
  expect(await paramOf({ max_tokens: 1_000_000 })).toMatchObject({ param: 'max_tokens' })
  expect(await paramOf({ messages: [{ role: 'user', content: [{ type: 'text' }] }] })).toMatchObject({
    param: 'messages[0].content[0].text',
  })
  expect(await paramOf({ max_completion_tokens: 5 })).toMatchObject({ param: 'max_completion_tokens' })
})

test('an account without credits is refused as its client expects', async () => {
  const poor = await customerOf(weir, { credits: 0.000001 })
  const refused = messagesClientOf(poor.apiKey, weir.url).messages.create(askingMessage('quick'))

  await expect(refused).rejects.toMatchObject({
    status: 402,
    error: { type: 'error', error: { type: 'billing_error', details: { error_code: 'credit_balance_exhausted' } } },
  })
})

test('tokens are counted for nothing', async () => {
  const { model, messages } = askingMessage('quick')
  const before = await customer.credits()
  const short = await client.messages.countTokens({ model, messages })
  const long = await client.messages.countTokens({ model, messages, system: 'You are brief. '.repeat(100) })
  const shown = await client.messages.countTokens({
    model,
    messages: [
      {
        role: 'user',
        content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGVsbG8=' } }],
      },
    ],
  })

  expect(short.input_tokens).toBeGreaterThan(4)
  expect(long.input_tokens).toBeGreaterThan(short.input_tokens + 200)
  expect(shown.input_tokens).toBeGreaterThan(1_000)
  expect(await customer.credits()).toEqual(before)
  const refused = await raw.post('/v1/messages/count_tokens', { model, messages }, { 'x-api-key': 'nonsense' })
  expect(refused.status).toBe(401)
})

test('an account that has a flood of prompts counted is asked to wait, and nobody else', async () => {
  const flooding = rawMessagesOf(weir.url, (await customerOf(weir)).apiKey)
  const words = Array.from({ length: 15_000 }, (_, i) => i.toString(36)).join(' ')
  const prompt = { model: 'quick', messages: [{ role: 'user', content: words }] }

  const flood = Promise.all(Array.from({ length: 80 }, () => flooding.post('/v1/messages/count_tokens', prompt)))
  const other = await raw.post('/v1/messages/count_tokens', prompt)
  const answers = await flood

  expect(other.status).toBe(200)
  const refused = answers.find(({ status }) => status !== 200)
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 429]))
  expect(refused!.headers.get('retry-after')).toBe('1')
  expect(await refused!.json()).toMatchObject({
    error: { type: 'rate_limit_error', details: { limit: { scope: 'account', name: 'token_counts', value: 32 } } },
  })
})

test('the models are told in the shape of the API, a page at a time', async () => {
  const all = await Array.fromAsync(client.models.list({ limit: 2 }))
  const ids = ['quick', 'hanging', 'breaking', 'auto']

  expect(all.map(({ id }) => id)).toEqual(ids)
  expect(all[0]).toMatchObject({
    type: 'model',
    display_name: 'quick',
    lifecycle: 'active',
    max_input_tokens: 100_000,
    max_tokens: 1_000,
    capabilities: { image_input: { supported: true } },
  })
  expect(await client.models.retrieve('quick')).toEqual(all[0])
  const pageOf = async (query: string) => (await (await raw.get(`/v1/models?${query}`)).json()) as object
  expect(await pageOf('limit=2&beta=true')).toMatchObject({ has_more: true, first_id: 'quick', last_id: 'hanging' })
  expect(await pageOf('before_id=breaking&limit=1')).toMatchObject({
    data: [{ id: 'hanging' }],
    has_more: true,
  })
  expect(await pageOf('after_id=nobody')).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } })
})
