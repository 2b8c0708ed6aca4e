import { once } from 'node:events'
import { request } from 'node:http'
import { type AccountId, fileIdOf, uuidOf } from '@weir/contracts'
import type Anthropic from '@anthropic-ai/sdk'
import { type Weir, openWeir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createdBatch, lineOf, parsedLines, untilEnded } from './testing/batches.ts'
import { catalogueOf, openai, quick } from './testing/catalogue.ts'
import { clientOf, customerOf } from './testing/customer.ts'
import { messagesClientOf, rawMessagesOf } from './testing/messages.ts'
import { refusalOf } from './testing/failure.ts'
import { callsOf, sumOf } from './testing/operator.ts'
import { patiently } from './testing/patiently.ts'
import { residentBytes } from './testing/resident-bytes.ts'
import { rowsOf } from './testing/rows.ts'
import { type Upstream, openUpstream } from './testing/upstream.ts'

let weir: Weir
let upstream: Upstream
const price = { input: 1, output: 2, per: 1_000, batch_discount: 50 }

beforeAll(async () => {
  upstream = await openUpstream()
  weir = await openWeir({
    config: catalogueOf({ quick, upstream: openai(upstream) }, { quick: { price }, upstream: { price } }),
    apiEnv: { WEIR_BATCH_MAX_LINES: '1000', WEIR_BODY_LIMIT_BYTES: '200000', WEIR_BATCH_BODY_LIMIT_BYTES: '1000000' },
  })
})
afterAll(async () => {
  await weir?.[Symbol.asyncDispose]()
  await upstream?.[Symbol.asyncDispose]()
})

const requestOf = (custom_id: string, model = 'quick', more: object = {}) => ({
  custom_id,
  params: {
    model,
    max_tokens: 50,
    messages: [{ role: 'user' as const, content: `Tell me of ${custom_id}.` }],
    ...more,
  },
})

const messagesOf = async () => {
  const customer = await customerOf(weir)
  return {
    ...customer,
    ...rawMessagesOf(weir.url, customer.apiKey),
    messages: messagesClientOf(customer.apiKey, weir.url).messages,
  }
}

type Batches = Anthropic['messages']['batches']

async function untilEnd(batches: Batches, id: string) {
  await expect.poll(async () => (await batches.retrieve(id)).processing_status, patiently).toBe('ended')
  return batches.retrieve(id)
}

async function resultsOf(batches: Batches, id: string) {
  const results: Anthropic.Messages.MessageBatchIndividualResponse[] = []
  for await (const result of await batches.results(id)) results.push(result)
  return results
}

test('message batches are created, polled and read to their end by the official client, in both of its generations', async () => {
  const { apiKey, messages, charges } = await messagesOf()
  const { default: Anthropic0 } = await import('anthropic-sdk-0')
  const older = new Anthropic0({ apiKey, baseURL: weir.url, maxRetries: 0 }) as unknown as Anthropic
  const requests = Array.from({ length: 60 }, (_, n) => requestOf(`question-${n}`))

  for (const { batches } of [messages, older.messages]) {
    const created = await batches.create({ requests: [...requests, requestOf('wrong', 'nobody')] })
    const batch = await untilEnd(batches, created.id)

    expect(created).toMatchObject({
      id: expect.stringMatching(/^msgbatch_/),
      type: 'message_batch',
      processing_status: 'in_progress',
      request_counts: { processing: 61, succeeded: 0, errored: 0, canceled: 0, expired: 0 },
      ended_at: null,
      cancel_initiated_at: null,
      archived_at: null,
      results_url: null,
    })
    expect(Date.parse(created.expires_at) - Date.parse(created.created_at)).toBeCloseTo(86_400_000, -4)
    expect(batch).toMatchObject({
      processing_status: 'ended',
      request_counts: { processing: 0, succeeded: 60, errored: 1, canceled: 0, expired: 0 },
      results_url: `${weir.url}/v1/messages/batches/${created.id}/results`,
    })
    const results = await resultsOf(batches, created.id)
    expect(results.map(({ custom_id }) => custom_id)).toEqual([...requests.map(({ custom_id }) => custom_id), 'wrong'])
    const [first] = results
    expect(first).toMatchObject({ result: { type: 'succeeded', message: { type: 'message', role: 'assistant' } } })
    expect(results.at(-1)).toMatchObject({
      result: { type: 'errored', error: { type: 'error', error: { type: 'not_found_error' } } },
    })
  }
  expect(sumOf(await charges())).toBeGreaterThan(0)
  expect(await charges()).toHaveLength(120)
})

test('a message batch that is cancelled keeps what has ended, and its requests are no file of anybody', async () => {
  const { messages, client, get } = await messagesOf()
  const { id } = await messages.batches.create({ requests: [requestOf('quick'), requestOf('slow', 'upstream')] })
  const call = await upstream.nextCall()

  const early = await get(`/v1/messages/batches/${id}/results`)
  expect([early.status, await early.json()]).toMatchObject([409, { error: { type: 'conflict_error' } }])
  expect((await client.files.list()).data).toEqual([])
  const remove = await messages.batches.delete(id).catch((error: unknown) => error)
  expect(remove).toMatchObject({ status: 409 })
  const cancelled = await messages.batches.cancel(id)
  expect(cancelled.cancel_initiated_at).not.toBeNull()
  await call.closed
  const batch = await untilEnd(messages.batches, id)

  expect(batch.request_counts).toEqual({ processing: 0, succeeded: 1, errored: 0, canceled: 1, expired: 0 })
  expect((await resultsOf(messages.batches, id)).map(({ custom_id, result }) => [custom_id, result.type])).toEqual([
    ['quick', 'succeeded'],
    ['slow', 'canceled'],
  ])
  expect(await messages.batches.delete(id)).toEqual({ id, type: 'message_batch_deleted' })
  expect((await get(`/v1/messages/batches/${id}`)).status).toBe(404)
  expect((await client.files.list()).data).toEqual([])
})

test('what a message batch does is told in the other API as well, while it runs', async () => {
  const { apiKey, messages, client } = await messagesOf()
  const body = { requests: [requestOf('quick'), requestOf('slow', 'upstream')], max_credits: 5 }
  const { id } = await messages.batches.create(body as never)
  const call = await upstream.nextCall()
  const other = id.replace('msgbatch_', 'batch_')
  const calls = callsOf(weir, apiKey)

  expect((await calls.get(`batches/${id}`)).body).toMatchObject({ id: other, endpoint: '/v1/messages', max_credits: 5 })
  expect((await calls.get(`batches/${id}/lines`)).body).toMatchObject({
    data: [{ custom_id: 'quick' }, { custom_id: 'slow', state: 'in_progress', attempts: 1 }],
  })
  const ended = async () => parsedLines<{ custom_id: string }>((await calls.text(`batches/${id}/output`)).text)
  await expect.poll(ended, patiently).toMatchObject([{ custom_id: 'quick', result: { type: 'succeeded' } }])
  call.say('Done.')
  call.finish()
  await untilEnded(client, other)
  expect(await ended()).toHaveLength(2)
})

test('message batches are listed newest first, forwards and backwards, and those of the other API are not among them', async () => {
  const { messages, get } = await messagesOf()
  const ids: string[] = []
  for (let n = 0; n < 3; n += 1) ids.unshift((await messages.batches.create({ requests: [requestOf('one')] })).id)
  const found: string[] = []
  for await (const { id } of messages.batches.list({ limit: 2 })) found.push(id)
  const list = async (query: string) => (await get(`/v1/messages/batches?${query}`)).json()

  expect(found).toEqual(ids)
  expect(await list(`limit=1&after_id=${ids[0]}`)).toMatchObject({ data: [{ id: ids[1] }], has_more: true })
  expect(await list(`limit=1&before_id=${ids[2]}`)).toMatchObject({
    data: [{ id: ids[1] }],
    has_more: true,
    first_id: ids[1],
    last_id: ids[1],
  })
  expect(await list(`before_id=${ids[0]}`)).toMatchObject({ data: [], has_more: false, first_id: null, last_id: null })
})

const megabyte = 1_048_576
const good = requestOf('good')

test.each([
  ['no JSON', '{"requests": [', 400, undefined],
  ['two bodies', '{"requests": []} {}', 400, undefined],
  ['a list', '[]', 400, undefined],
  ['a text', '"requests"', 400, undefined],
  ['no requests', '{}', 400, 'requests'],
  ['an empty list', { requests: [] }, 400, 'requests'],
  ['requests that are no list', { requests: { one: good } }, 400, 'requests'],
  ['requests twice', '{"requests": [], "requests": []}', 400, 'requests'],
  ['a field that nobody knows', { requests: [good], model: 'quick' }, 400, 'model'],
  ['a request without params', { requests: [good, { custom_id: 'one' }] }, 400, 'requests[1].params'],
  ['a request that is none', { requests: [good, 7] }, 400, 'requests[1]'],
  ['a request with more than that', { requests: [{ ...good, url: '/' }] }, 400, 'requests[0].url'],
  ['too odd an id', { requests: [{ ...good, custom_id: 'a b' }] }, 400, 'requests[0].custom_id'],
  ['too long an id', { requests: [{ ...good, custom_id: 'x'.repeat(65) }] }, 400, 'requests[0].custom_id'],
  ['an id twice', { requests: [good, good] }, 400, 'requests[1].custom_id'],
  ['too many requests', { requests: Array.from({ length: 1_001 }, (_, n) => requestOf(`n-${n}`)) }, 400, 'requests'],
  ['too fine a price', { requests: [good], max_credits: 1e-9 }, 400, 'max_credits'],
  ['a private address', { requests: [good], webhook_url: 'https://127.0.0.1/' }, 400, 'webhook_url'],
  ['too deep a request', `{"requests": [${'['.repeat(100_000)}`, 400, undefined],
  [
    'too large a request',
    { requests: [requestOf('x'.repeat(9), 'quick', { system: 'x'.repeat(500_000) })] },
    413,
    'requests',
  ],
  ['a number without end', `{"requests": [{"custom_id": "a", "params": {"x": ${'1'.repeat(100_000)}`, 400, 'requests'],
  ['params twice', '{"requests": [{"custom_id": "a", "params": {}, "params": {}}]}', 400, 'requests[0]'],
  ['a field that is everywhere', '{"requests": [{"custom_id": "a", "params": {"__proto__": {}}}]}', 400, undefined],
  ['brackets that do not match', '{"requests": [{"custom_id": "a", "params": [}]}', 400, undefined],
  ['too large a body', 'x'.repeat(1_000_001), 413, undefined],
])('a message batch with %s is refused, and nothing of it stays', async (_, body, status, param) => {
  const { post, accountId } = await messagesOf()

  const answer = await post('/v1/messages/batches', body, { 'content-type': 'application/json' })

  expect(answer.status).toBe(status)
  const { type, error } = (await answer.json()) as { type: string; error: { message: string; details?: object } }
  expect({ type, message: error.message }).toEqual({ type: 'error', message: expect.any(String) })
  if (param !== undefined) expect(error.details).toMatchObject({ param })
  expect(await filesOf(accountId)).toEqual([])
})

test('the params of a request are read as they were written, wherever their lines break', async () => {
  const { messages, post } = await messagesOf()
  const written = JSON.stringify(requestOf('Broken', 'quick', { system: 'a "b" \\ {[é' }), null, '\t').replaceAll(
    '\n',
    '\r\n',
  )
  const empty = '{"params": {}, "custom_id": "empty"}'

  const answer = await post('/v1/messages/batches', `\n{ "requests" :\r\n[ ${empty} , ${written}\n ] }\n`, {
    'content-type': 'application/json',
  })

  const { id } = (await answer.json()) as { id: string }
  await untilEnd(messages.batches, id)
  expect((await resultsOf(messages.batches, id)).map(({ custom_id, result }) => [custom_id, result.type])).toEqual([
    ['empty', 'errored'],
    ['Broken', 'succeeded'],
  ])
})

test('the file of a message batch is shown to nobody, and cannot be deleted', async () => {
  const { messages, client, accountId } = await messagesOf()
  const { id } = await messages.batches.create({ requests: [requestOf('slow', 'upstream')] })
  const call = await upstream.nextCall()
  const [input] = await rowsOf<{ id: string }>(
    weir.databaseUrl,
    "select id from store.file where account_id = $1 and purpose = 'batch_input'",
    [uuidOf(accountId as AccountId)],
  )

  expect((await client.batches.retrieve(id.replace('msgbatch_', 'batch_'))).input_file_id).toBe('')
  expect(await refusalOf(client.files.delete(fileIdOf(input!.id)))).toMatchObject({ status: 404 })
  expect(await filesOf(accountId)).toEqual([input])
  await messages.batches.cancel(id)
  await call.closed
})

test('a message batch for whose request there is no room is told to come again, while another has it', async () => {
  const api = await weir.startApi({ WEIR_BODY_ROOM_BYTES: '200000' })
  const url = `http://127.0.0.1:${api.port}/v1/messages/batches`
  const { apiKey, accountId } = await messagesOf()
  const headers = { 'x-api-key': apiKey, 'content-type': 'application/json' }
  const begin = () => {
    const sending = request(url, { method: 'POST', headers }).on('error', () => {})
    sending.write(`{"requests": [{"custom_id": "a", "params": {"system": "${'x'.repeat(150_000)}`)
    return sending
  }
  const sendings = [begin(), begin()]

  const [response] = await Promise.race(sendings.map((sending) => once(sending, 'response')))
  for (const sending of sendings) sending.destroy()

  expect([response.statusCode, response.headers['retry-after']]).toEqual([503, '1'])
  await expect.poll(() => filesOf(accountId), patiently).toEqual([])
})

const filesOf = (accountId: string) =>
  rowsOf(weir.databaseUrl, `select id from store.file where account_id = $1 and state <> 'deleted'`, [
    uuidOf(accountId as AccountId),
  ])

test('a message batch that breaks off while it is sent leaves nothing behind', async () => {
  const { apiKey, accountId } = await messagesOf()
  const headers = { 'x-api-key': apiKey, 'content-type': 'application/json' }
  const sending = request(`${weir.url}/v1/messages/batches`, { method: 'POST', headers })
  const closed = new Promise((resolve) => sending.on('error', () => {}).once('close', resolve))
  sending.write(`{"requests": [${JSON.stringify(good)},`)
  await expect.poll(() => filesOf(accountId), patiently).toHaveLength(1)

  sending.destroy()
  await closed

  await expect.poll(() => filesOf(accountId), patiently).toEqual([])
})

test('a message batch of any size passes through a replica that holds only a little of it', async () => {
  const api = await weir.startApi({
    WEIR_BODY_LIMIT_BYTES: String(20 * megabyte),
    WEIR_BATCH_BODY_LIMIT_BYTES: String(256 * megabyte),
    WEIR_BATCH_MAX_LINES: '100000',
  })
  const { messages, apiKey } = await messagesOf()

  const { status, body, atHalf, most } = await sendBatch(api, apiKey, 128 * megabyte)

  expect([status, body]).toMatchObject([200, { type: 'message_batch' }])
  // Held in memory, the second half would take more than this.
  expect(most - atHalf).toBeLessThan(40 * megabyte)
  await messages.batches.cancel(body.id)
})

/** Sends a batch of so many bytes as they are made, and looks now and then at what the replica takes of the memory. */
async function sendBatch({ port, pid }: { port?: number | undefined; pid: number }, apiKey: string, bytes: number) {
  const headers = { 'x-api-key': apiKey, 'content-type': 'application/json' }
  const sending = request(`http://127.0.0.1:${port}/v1/messages/batches`, { method: 'POST', headers })
  const answered = once(sending, 'response')
  const messages = [{ role: 'user', content: 'A river, "wide" and slow.\n'.repeat(800) }]
  let [atHalf, most, sent] = [0, 0, 0]
  const write = async (text: string) => {
    sent += text.length
    if (!sending.write(text)) await once(sending, 'drain')
  }
  await write('{"requests": [')
  for (let n = 0; sent < bytes; n += 1) {
    await write(`${n === 0 ? '' : ','}${JSON.stringify(requestOf(`n-${n}`, 'quick', { messages }))}`)
    if (n % 200 !== 0) continue
    most = Math.max(most, await residentBytes(pid))
    if (sent < bytes / 2) atHalf = most
  }
  sending.end(']}')
  const [response] = await answered
  let body = ''
  for await (const piece of response) body += piece
  return { status: response.statusCode, body: JSON.parse(body) as { id: string }, atHalf, most }
}

test("another account's message batch is not there, and neither is one of the other API", async () => {
  const [owner, other] = [await messagesOf(), await messagesOf()]
  const { id } = await owner.messages.batches.create({ requests: [good] })
  await untilEnd(owner.messages.batches, id)
  const theirs = clientOf(other.apiKey, weir.url)

  const asked = [
    other.get(`/v1/messages/batches/${id}`),
    other.get(`/v1/messages/batches/${id}/results`),
    other.post(`/v1/messages/batches/${id}/cancel`),
    fetch(`${weir.url}/v1/messages/batches/${id}`, { method: 'DELETE', headers: { 'x-api-key': other.apiKey } }),
  ]
  for (const answer of await Promise.all(asked)) {
    expect(answer.status).toBe(404)
    expect(await answer.json()).toMatchObject({ type: 'error', error: { type: 'not_found_error' } })
  }
  expect((await other.messages.batches.list()).data).toEqual([])
  expect((await theirs.batches.list()).data).toEqual([])
  expect((await owner.messages.batches.retrieve(id)).processing_status).toBe('ended')
  const { id: inOther } = await createdBatch(owner.client, [lineOf('one')])
  expect((await owner.get(`/v1/messages/batches/${inOther}`)).status).toBe(404)
  expect((await owner.messages.batches.list()).data.map((batch) => batch.id)).toEqual([id])
})
