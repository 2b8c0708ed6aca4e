import { type Weir, openWeir } from '@weir/local/testing'
import type OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  batchEventsOf,
  createdBatch,
  firstEventOf,
  jsonLines,
  lineOf,
  linesInFile,
  linesOf,
  parsedLines,
  untilBatch,
  untilEnded,
  uploaded,
} from './testing/batches.ts'
import { catalogueOf, openai, quick } from './testing/catalogue.ts'
import { clientOf, customerOf } from './testing/customer.ts'
import { refusalOf } from './testing/failure.ts'
import { callsOf, sumOf } from './testing/operator.ts'
import { openReceiver, toldBy } from './testing/receiver.ts'
import { patiently } from './testing/patiently.ts'
import { formOf, sendForm } from './testing/uploads.ts'
import { type Upstream, type UpstreamCall, openUpstream } from './testing/upstream.ts'

let weir: Weir
let upstream: Upstream

/** A batch costs half. */
const price = { input: 1, output: 2, per: 1_000, batch_discount: 50 }

beforeAll(async () => {
  upstream = await openUpstream()
  const backends = { quick, upstream: openai(upstream), refusing: { ...quick, fault: 'refuse' } }
  weir = await openWeir({
    config: catalogueOf(backends, { quick: { price }, upstream: { price }, refusing: { price } }),
    apis: 2,
    apiEnv: { WEIR_BATCHES_PER_ACCOUNT: '3', WEIR_WEBHOOK_PRIVATE_ADDRESSES: 'true', WEIR_BATCH_MAX_TRIES: '1' },
    workerEnv: { WEIR_WEBHOOK_PRIVATE_ADDRESSES: 'true', WEIR_WEBHOOK_POLL_MS: '50' },
  })
})
afterAll(async () => {
  await weir?.[Symbol.asyncDispose]()
  await upstream?.[Symbol.asyncDispose]()
})

test('a batch is uploaded, created, polled at another replica and read, every line once and at the batch price', async () => {
  const { apiKey, client, charges, credits } = await customerOf(weir)
  const other = clientOf(apiKey, weir.urls[1]!)
  const lines = [...linesOf(120), lineOf('line-121', { model: 'refusing' })]

  const created = await createdBatch(client, lines, { metadata: { order: '7' } })
  const batch = await untilEnded(other, created.id)

  expect(created).toMatchObject({ object: 'batch', status: 'validating', metadata: { order: '7' } })
  expect(batch).toMatchObject({
    id: expect.stringMatching(/^batch_/),
    status: 'completed',
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
    expires_at: created.created_at + 86_400,
    request_counts: { total: 121, completed: 120, failed: 1 },
    credits_reserved: 0,
    dry_run: false,
  })
  for (const time of [batch.in_progress_at, batch.finalizing_at, batch.completed_at])
    expect(time).toBeGreaterThanOrEqual(created.created_at)
  for (const absent of ['failed_at', 'expired_at', 'cancelled_at', 'cancelling_at', 'errors', 'paused'])
    expect(batch).not.toHaveProperty(absent)

  const output = await linesInFile(other, batch.output_file_id)
  expect(output.map(({ custom_id }) => custom_id)).toEqual(linesOf(120).map(({ custom_id }) => custom_id))
  for (const { id, response, error, attempts, credits_consumed } of output) {
    expect({ id, error, attempts, status: response?.status_code }).toMatchObject({
      id: expect.stringMatching(/^batch_req_/),
      error: null,
      attempts: 1,
      status: 200,
    })
    const { usage } = response!.body
    // Half of a thousandth for each token in, and of two thousandths for each that comes out.
    expect(credits_consumed).toBe(sumOf([usage!.prompt_tokens * 0.0005, usage!.completion_tokens * 0.001]))
  }
  const [failed] = await linesInFile(other, batch.error_file_id)
  expect(failed).toMatchObject({
    custom_id: 'line-121',
    response: { status_code: 502, body: { error: { code: 'backend_error' } } },
    credits_consumed: 0,
  })

  const total = sumOf(output.map(({ credits_consumed }) => credits_consumed))
  expect(sumOf(await charges())).toBe(total)
  expect(batch.credits_consumed).toBe(total)
  expect(batch.usage).toMatchObject({
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 120 * 24,
    output_tokens_details: { reasoning_tokens: 0 },
    credits_consumed: total,
  })
  expect(await credits()).toMatchObject({ balance: sumOf([100, -total]), reserved: 0 })
  const line = output[7]!
  const receipt = await callsOf(weir, apiKey).get(`chat/completions/${line.response!.request_id}/receipt`)
  expect(receipt.body).toMatchObject({ charged: line.credits_consumed, price: { batch_discount: 50 } })
})

test('a file with bad lines fails, each of them is told of by its number, and nothing has run', async () => {
  const { client, entries, apiKey } = await customerOf(weir)
  const lines = [
    lineOf('good'),
    '{"custom_id":',
    lineOf('good'),
    lineOf('other', { model: 'nobody' }),
    lineOf('stream', { stream: true }),
    lineOf('elsewhere', {}, '/v1/messages'),
    lineOf('hot', { temperature: 9 }),
  ]

  const { id } = await createdBatch(client, lines)
  const batch = await untilEnded(client, id)

  expect(batch).toMatchObject({ status: 'failed', request_counts: { total: 0, completed: 0, failed: 0 } })
  expect(batch.failed_at).toBeGreaterThanOrEqual(batch.created_at)
  expect(batch.errors?.object).toBe('list')
  expect(batch.errors?.data?.map(({ line, code, param }) => [line, code, param])).toEqual([
    [2, 'invalid_json_line', undefined],
    [3, 'duplicate_custom_id', 'custom_id'],
    [4, 'model_not_found', 'body.model'],
    [5, 'invalid_request', 'body.stream'],
    [6, 'mismatched_url', 'url'],
    [7, 'invalid_request', 'body.temperature'],
  ])
  expect(batch).not.toHaveProperty('output_file_id')
  expect((await entries()).map(({ kind }) => kind)).toEqual(['grant'])
  expect(await (await read(apiKey, `${id}/output`)).text()).toBe('')
  expect((await callsOf(weir, apiKey).get(`batches/${id}/lines`)).body).toMatchObject({ data: [], has_more: false })
})

const read = (apiKey: string, path: string, headers: Record<string, string> = {}, url = weir.url) =>
  fetch(`${url}/v1/batches/${path}`, { headers: { authorization: `Bearer ${apiKey}`, ...headers } })

test('a dry run tells what a batch can cost at most, and costs nothing', async () => {
  const { client, entries } = await customerOf(weir)
  const lines = [lineOf('one', { max_tokens: 100 }), lineOf('two', { max_tokens: 200 })]

  const { id } = await createdBatch(client, lines, { dry_run: true })
  const batch = await untilEnded(client, id)

  expect(batch).toMatchObject({
    status: 'completed',
    dry_run: true,
    request_counts: { total: 2, completed: 0, failed: 0 },
    credits_consumed: 0,
  })
  // The answers alone, and something for the prompts.
  expect(batch.estimate?.max_credits_consumed).toBeGreaterThan(0.3)
  expect(batch.estimate?.max_credits_consumed).toBeLessThan(1)
  expect(batch).not.toHaveProperty('usage')
  expect((await entries()).map(({ kind }) => kind)).toEqual(['grant'])
})

/** The call for this line: lines that were cancelled may have left others. */
async function callAbout(customId: string): Promise<UpstreamCall> {
  for (;;) {
    const call = await upstream.nextCall()
    if (call.prompt.includes(customId)) return call
  }
}

test('while a batch runs what has ended of it is read, line by line; cancelled it keeps that and stops the rest', async () => {
  const { apiKey, client, credits } = await customerOf(weir)
  const lines = ['one', 'two', 'three', 'four'].map((id) => lineOf(id, { model: 'upstream' }))
  const { id } = await createdBatch(client, lines)
  const first = await upstream.nextCall()
  const second = await upstream.nextCall()
  first.say('Here it is.')
  first.finish({ prompt: 10, completion: 4 })

  const running = await untilBatch(client, id, ({ request_counts }) => request_counts?.completed === 1)
  const output = parsedLines(await (await read(apiKey, `${id}/output`, {}, weir.urls[1])).text())

  expect(running.status).toBe('in_progress')
  expect(running.credits_reserved).toBeGreaterThan(0)
  expect(running).not.toHaveProperty('output_file_id')
  expect(output).toMatchObject([
    {
      response: { body: { choices: [{ message: { content: 'Here it is.' } }] } },
      attempts: 1,
      credits_consumed: 0.009,
    },
  ])
  expect(await (await read(apiKey, `${id}/errors`)).text()).toBe('')
  const ofLines = (query: string) => callsOf(weir, apiKey).get<{ data: object[] }>(`batches/${id}/lines${query}`)
  expect((await ofLines('?state=completed')).body).toMatchObject({
    data: [
      { custom_id: output[0]!.custom_id, attempts: 1, credits_consumed: 0.009, completion_id: expect.any(String) },
    ],
    has_more: false,
  })
  expect((await ofLines('?limit=1&after=1')).body).toMatchObject({ data: [{ line: 2 }], has_more: true, last_line: 2 })

  const cancelling = await client.batches.cancel(id)
  expect(['cancelling', 'cancelled']).toContain(cancelling.status)
  await second.closed
  const batch = await untilEnded(client, id)

  expect(batch).toMatchObject({
    status: 'cancelled',
    request_counts: { total: 4, completed: 1, failed: 3 },
    credits_consumed: 0.009,
  })
  expect(batch.cancelled_at).toBeGreaterThanOrEqual(batch.cancelling_at!)
  expect(await linesInFile(client, batch.output_file_id)).toEqual(output)
  const rest = await linesInFile(client, batch.error_file_id)
  expect(rest.map(({ error }) => error?.code)).toEqual(Array.from({ length: 3 }, () => 'batch_cancelled'))
  expect(await credits()).toMatchObject({ reserved: 0, balance: 99.991 })

  const again = await refusalOf(client.batches.cancel(id))
  expect(again).toMatchObject({ status: 409, code: 'already_ended' })
  expect(again.headers?.get('x-should-retry')).toBe('false')
})

test('a batch stops at its max_credits, and tells of the lines that it left out', async () => {
  const { client, charges } = await customerOf(weir)
  // Each is charged a little, and sets aside a good deal more.
  const lines = linesOf(30, { max_tokens: 100 })

  const { id } = await createdBatch(client, lines, { max_credits: 0.5 })
  const batch = await untilEnded(client, id)

  expect(batch).toMatchObject({ status: 'completed', max_credits: 0.5 })
  expect(batch.request_counts!.completed).toBeGreaterThan(1)
  expect(batch.request_counts!.failed).toBeGreaterThan(1)
  expect(sumOf(await charges())).toBeLessThanOrEqual(0.5)
  for (const { error } of await linesInFile(client, batch.error_file_id))
    expect(error).toMatchObject({ code: 'max_credits_reached' })
})

test('a batch whose account has run out of credits pauses, says so, and goes on after a top-up', async () => {
  await using receiver = await openReceiver()
  const { accountId, client } = await customerOf(weir, { credits: 0.2 })
  const { id } = await createdBatch(client, linesOf(20), { webhook_url: `${receiver.url}/hook` })
  const told = (type: string) =>
    expect
      .poll(() => receiver.received.map(toldBy).map(({ type, data }) => [type, data.id]), patiently)
      .toContainEqual([type, id])

  const paused = await untilBatch(client, id, (batch) => batch.paused !== undefined)

  expect(paused).toMatchObject({
    status: 'in_progress',
    paused: { reason: 'insufficient_credits', since: expect.any(Number) },
  })
  await told('batch.paused')
  await callsOf(weir).post(`accounts/${accountId}/grants`, { credits: 10, kind: 'purchased' })
  const batch = await untilEnded(client, id)
  expect(batch).toMatchObject({ status: 'completed', request_counts: { total: 20, completed: 20, failed: 0 } })
  expect(batch).not.toHaveProperty('paused')
  await told('batch.completed')
})

test('a batch is followed at any replica from how it stands to its end, and whoever knows that is told nothing more', async () => {
  const { apiKey, client } = await customerOf(weir)
  const { id } = await createdBatch(client, [lineOf('quick'), lineOf('followed', { model: 'upstream' })])
  const call = await callAbout('followed')
  await untilBatch(client, id, ({ request_counts }) => request_counts?.completed === 1)

  const followed = weir.urls.map(async (url) => batchEventsOf(await read(apiKey, `${id}/events`, {}, url)))
  const [first] = await firstEventOf(await read(apiKey, `${id}/events`))
  expect(first).toMatchObject({ event: 'batch.in_progress', data: { id, request_counts: { total: 2, completed: 1 } } })
  // Somebody who comes back is told of what has changed since.
  const resumed = batchEventsOf(await read(apiKey, `${id}/events`, { 'last-event-id': first!.id }))
  call.say('At last.')
  call.finish()

  for (const events of await Promise.all(followed)) {
    expect(events[0]).toMatchObject({ event: 'batch.in_progress' })
    expect(events.at(-1)).toMatchObject({ event: 'batch.completed', data: await client.batches.retrieve(id) })
    expect(new Set(events.map((event) => event.id)).size).toBe(events.length)
  }
  const rest = await resumed
  expect(rest.map((event) => event.id)).not.toContain(first!.id)
  expect(rest.at(-1)).toMatchObject({ event: 'batch.completed' })
  const over = await read(apiKey, `${id}/events`, { 'last-event-id': rest.at(-1)!.id }, weir.urls[1])
  expect(over.status).toBe(204)
  expect(await batchEventsOf(await read(apiKey, `${id}/events`))).toEqual([rest.at(-1)])
})

test('what has not ended within the window of a batch expires', async () => {
  const api = await weir.startApi({ WEIR_BATCH_COMPLETION_MS: '3000' })
  const { client, credits } = await customerOf(weir, { baseUrl: `http://127.0.0.1:${api.port}` })
  const { id } = await createdBatch(client, [lineOf('quick'), lineOf('late', { model: 'upstream' })])
  const call = await callAbout('late')

  const batch = await untilEnded(client, id)

  await call.closed
  expect(batch).toMatchObject({ status: 'expired', request_counts: { total: 2, completed: 1, failed: 1 } })
  expect(batch.expired_at).toBeGreaterThanOrEqual(batch.expires_at!)
  expect(await linesInFile(client, batch.error_file_id)).toMatchObject([
    { custom_id: 'late', response: null, error: { code: 'batch_expired' }, credits_consumed: 0 },
  ])
  expect(await credits()).toMatchObject({ reserved: 0, balance: sumOf([100, -batch.credits_consumed]) })
})

test('lines may ask for messages, whose answers are in the words of that API', async () => {
  const { client } = await customerOf(weir)
  const lines = [lineOf('one', {}, '/v1/messages')]

  const { id } = await createdBatch(client, lines, { endpoint: '/v1/messages' })
  const batch = await untilEnded(client, id)

  expect(await linesInFile(client, batch.output_file_id)).toMatchObject([
    { response: { status_code: 200, body: { type: 'message', content: [{ type: 'text' }] } } },
  ])
})

test('files and batches go the way in which a proxy sends them: with plain HTTP, the purpose before the file', async () => {
  const { apiKey } = await customerOf(weir)
  const form = formOf(
    { name: 'purpose', value: 'batch' },
    { name: 'file', value: jsonLines(linesOf(3)), filename: 'litellm.jsonl', type: 'application/jsonl' },
  )
  const file = (await (await sendForm(weir.url, apiKey, form)).json()) as OpenAI.FileObject
  // As clients in Python send it: null for what is not set, and JSON for what has no body.
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
  const ask = async (method: string, path: string, body?: object) => {
    const sent = body === undefined ? null : JSON.stringify(body)
    return (await fetch(`${weir.url}/v1/${path}`, { method, headers, body: sent })).json() as Promise<OpenAI.Batch>
  }
  const request = { input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h', metadata: null }
  const { id } = await ask('POST', 'batches', request)
  const client = clientOf(apiKey, weir.url)
  const batch = await untilEnded(client, id)

  const content = await fetch(`${weir.url}/v1/files/${batch.output_file_id}/content`, { headers })
  expect(parsedLines(await content.text())).toHaveLength(3)
  expect(await ask('POST', `batches/${id}/cancel`)).toMatchObject({ error: { code: 'already_ended' } })
})

test('batches are listed newest first, a page at a time', async () => {
  const { client } = await customerOf(weir)
  const empty = await client.get('/batches')
  const ids: string[] = []
  for (let n = 0; n < 3; n += 1) {
    const { id } = await createdBatch(client, linesOf(1))
    await untilEnded(client, id)
    ids.unshift(id)
  }
  const found: string[] = []
  for await (const { id } of client.batches.list({ limit: 2 })) found.push(id)

  expect(empty).toEqual({ object: 'list', data: [], has_more: false })
  expect(found).toEqual(ids)
  expect(await client.get('/batches', { query: { limit: 2, after: ids[0] } })).toMatchObject({
    first_id: ids[1],
    last_id: ids[2],
    has_more: false,
  })
})

test('more open batches than an account may have are refused with a time to wait', async () => {
  const { client } = await customerOf(weir)
  const file = await uploaded(client, [lineOf('held', { model: 'upstream' })])
  const create = () =>
    client.batches.create({ input_file_id: file, endpoint: '/v1/chat/completions', completion_window: '24h' })
  const open = [await create(), await create(), await create()]

  const refusal = await refusalOf(create())

  expect(refusal).toMatchObject({
    status: 429,
    code: 'rate_limit_exceeded',
    error: { limit: { scope: 'account', name: 'open_batches', value: 3 } },
  })
  expect(Number(refusal.headers?.get('retry-after'))).toBeGreaterThan(0)
  for (const { id } of open) await client.batches.cancel(id)
  for (const { id } of open) await untilEnded(client, id)
  await client.batches.cancel((await create()).id)
})

test.each([
  ['no file', { input_file_id: undefined }, 400, 'invalid_request', 'input_file_id'],
  ['a file that is not there', { input_file_id: 'file-01h455vb4pex5vsknk084sn02q' }, 404, 'not_found', 'input_file_id'],
  ['an endpoint that has no batches', { endpoint: '/v1/embeddings' }, 400, 'invalid_request', 'endpoint'],
  ['another window', { completion_window: '1h' }, 400, 'invalid_request', 'completion_window'],
  ['too fine a price', { max_credits: 0.0000001 }, 400, 'invalid_request', 'max_credits'],
  ['a price of nothing', { max_credits: 0 }, 400, 'invalid_request', 'max_credits'],
  ['a private address', { webhook_url: 'ftp://example.com' }, 400, 'invalid_request', 'webhook_url'],
  [
    'too short a life of its results',
    { output_expires_after: { anchor: 'created_at', seconds: 3_599 } },
    400,
    'invalid_request',
    'output_expires_after.seconds',
  ],
  ['a field that nobody knows', { priority: 1 }, 400, 'unknown_parameter', 'priority'],
])('a batch with %s is refused', async (_, more, status, code, param) => {
  const { client } = await customerOf(weir)

  const refusal = await refusalOf(createdBatch(client, linesOf(1), more))

  expect(refusal).toMatchObject({ status, code, param })
})

test("the results of a batch are no input, and another account's batch is not there", async () => {
  const [owner, other] = [await customerOf(weir), await customerOf(weir)]
  const batch = await untilEnded(owner.client, (await createdBatch(owner.client, linesOf(1))).id)
  const request = { endpoint: '/v1/chat/completions', completion_window: '24h' } as const

  const output = owner.client.batches.create({ ...request, input_file_id: batch.output_file_id! })
  expect(await refusalOf(output)).toMatchObject({ status: 400, param: 'input_file_id' })
  const foreign = other.client.batches.create({ ...request, input_file_id: batch.input_file_id })
  expect(await refusalOf(foreign)).toMatchObject({ status: 404, param: 'input_file_id' })
  for (const path of ['', '/output', '/errors', '/events', '/lines']) {
    const answer = await read(other.apiKey, `${batch.id}${path}`)
    expect([path, answer.status, ((await answer.json()) as { error: { code: string } }).error.code]).toEqual([
      path,
      404,
      'not_found',
    ])
  }
  expect(await refusalOf(other.client.batches.cancel(batch.id))).toMatchObject({ status: 404 })
  expect((await other.client.batches.list()).data).toEqual([])
  expect(await refusalOf(other.client.files.content(batch.output_file_id!))).toMatchObject({ status: 404 })
})
