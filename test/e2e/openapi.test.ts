import { type Weir, openWeir } from '@weir/local/testing'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { linesOf, untilEnded, uploaded } from './testing/batches.ts'
import { catalogueOf, quick } from './testing/catalogue.ts'
import { type Customer, customerOf } from './testing/customer.ts'

type Content = Record<string, { schema: object; examples?: Record<string, { value: object }> }>
type Answer = { headers: Record<string, object>; content?: Content }
type Operation = { requestBody?: { content: Content }; responses: Record<string, Answer> }
type Document = { paths: Record<string, Record<string, Operation>> }

let weir: Weir
let customer: Customer
let document: Document

beforeAll(async () => {
  weir = await openWeir({ config: catalogueOf({ quick }, { quick: { max_output_tokens: 4_000 } }) })
  customer = await customerOf(weir, { credits: 1_000 })
  document = (await (await fetch(`${weir.url}/openapi.json`)).json()) as Document
})
afterAll(() => weir?.[Symbol.asyncDispose]())

const operationOf = (path: string, method = 'post') => document.paths[path]![method]!

/** What a schema of the document refuses of a value. */
function problemsOf(schema: object, value: unknown) {
  const validate = new Ajv2020({ strict: false, allErrors: true, validateFormats: false }).compile(schema)
  return validate(value) ? [] : validate.errors
}

async function send(path: string, body?: object, headers: Record<string, string> = {}) {
  const response = await fetch(`${weir.url}${path}`, {
    method: body ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${customer.apiKey}`, 'content-type': 'application/json', ...headers },
    body: body ? JSON.stringify(body) : null,
  })
  return { response, text: await response.text() }
}

/** The answer that the document has for a status: its own, or that of its class. */
const answerOf = ({ responses }: Operation, status: number): Answer =>
  responses[status] ?? responses[`${String(status)[0]}XX`]!

function expectDocumented(operation: Operation, { response, text }: Awaited<ReturnType<typeof send>>) {
  const answer = answerOf(operation, response.status)
  const type = response.headers.get('content-type')!.split(';')[0]!
  const schema = answer.content?.[type]?.schema
  expect(schema, `${response.status} ${type}`).toBeDefined()
  expect(problemsOf(schema!, type === 'application/json' ? JSON.parse(text) : text)).toEqual([])
  const ours = [...response.headers.keys()].filter((name) =>
    /^(x-(?!accel-|content-)|retry|location|idempotent|preference)/.test(name),
  )
  expect(Object.keys(answer.headers)).toEqual(expect.arrayContaining(ours))
}

test.each(['/v1/chat/completions', '/v1/messages', '/v1/messages/count_tokens', '/v1/messages/batches'])(
  'the examples of %s are as documented, and so are their answers',
  async (path) => {
    const operation = operationOf(path)
    const { schema, examples = {} } = operation.requestBody!.content['application/json']!
    expect(Object.keys(examples).length).toBeGreaterThan(0)

    for (const [name, { value }] of Object.entries(examples)) {
      expect(problemsOf(schema, value), name).toEqual([])
      const answer = await send(path, value)
      expect([name, answer.response.status]).toEqual([name, 'background' in value ? 202 : 200])
      const isStream = answer.response.headers.get('content-type')!.startsWith('text/event-stream')
      expect(isStream, name).toBe('stream' in value)
      expectDocumented(operation, answer)
    }
  },
)

test.each([
  ['/v1/chat/completions', {}],
  ['/v1/messages', {}],
  ['/v1/chat/completions', { model: 'nobody', messages: [{ role: 'user', content: 'Hi' }] }],
  ['/v1/messages', { model: 'nobody', max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] }],
])('what %s refuses is documented: %j', async (path, body) => {
  const answer = await send(path, body)

  expect(answer.response.ok).toBe(false)
  expectDocumented(operationOf(path), answer)
})

test('an account without credits is refused as documented, in both APIs', async () => {
  const { apiKey } = await customerOf(weir, { credits: 0.000001 })
  const headers = { authorization: `Bearer ${apiKey}` }

  for (const path of ['/v1/chat/completions', '/v1/messages']) {
    const { value } = operationOf(path).requestBody!.content['application/json']!.examples!['plain']!
    const answer = await send(path, value, headers)
    expect(answer.response.status).toBe(402)
    expectDocumented(operationOf(path), answer)
  }
})

test.each(['/v1/chat/completions', '/v1/messages'])(
  'a completion is shown and resumed at %s as documented',
  async (path) => {
    const { value } = operationOf(path).requestBody!.content['application/json']!.examples!['plain']!
    const created = await send(path, { ...value, store: true })
    const id = created.response.headers.get('x-weir-completion-id')!

    expectDocumented(operationOf(`${path}/{id}`, 'get'), await send(`${path}/${id}`))
    expectDocumented(operationOf(`${path}/{id}/stream`, 'get'), await send(`${path}/${id}/stream`))
    expectDocumented(operationOf(`${path}/{id}`, 'get'), await send(`${path}/nothing`))
  },
)

test('the examples of batches are as documented, and so is all that is shown of them', async () => {
  const { schema, examples = {} } = operationOf('/v1/batches').requestBody!.content['application/json']!
  const file = await uploaded(customer.client, linesOf(2))

  for (const [name, { value }] of Object.entries(examples)) {
    expect(problemsOf(schema, value), name).toEqual([])
    const created = await send('/v1/batches', { ...value, input_file_id: file })
    expect([name, created.response.status]).toEqual([name, 200])
    expectDocumented(operationOf('/v1/batches'), created)
    const { id } = JSON.parse(created.text) as { id: string }
    await untilEnded(customer.client, id)
    for (const rest of ['', '/output', '/errors', '/events', '/lines'])
      expectDocumented(operationOf(`/v1/batches/{id}${rest}`, 'get'), await send(`/v1/batches/${id}${rest}`))
    expectDocumented(operationOf('/v1/batches/{id}/cancel'), await send(`/v1/batches/${id}/cancel`, {}))
  }
  expectDocumented(operationOf('/v1/batches', 'get'), await send('/v1/batches'))
  expectDocumented(operationOf('/v1/messages/batches', 'get'), await send('/v1/messages/batches'))
})

test('every operation says what its failures look like', () => {
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path))
  const isWrong = { error: { message: 7 } }

  expect(operations.length).toBeGreaterThan(30)
  for (const operation of operations)
    for (const status of [418, 599]) {
      const schema = answerOf(operation, status)?.content?.['application/json']?.schema
      expect(problemsOf(schema!, isWrong), JSON.stringify(operation)).not.toEqual([])
    }
})

test.each([{}, { 'anthropic-version': '2026-10-21' }])('the models are shown as documented: %j', async (headers) => {
  for (const [path, at] of [
    ['/v1/models', '/v1/models'],
    ['/v1/models/{id}', '/v1/models/auto'],
    ['/v1/models/{id}', '/v1/models/quick'],
    ['/v1/models/{id}', '/v1/models/nobody'],
  ] as const)
    expectDocumented(operationOf(path, 'get'), await send(at, undefined, headers as Record<string, string>))
})
