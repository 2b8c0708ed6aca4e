import { openWeir, type Weir } from '@weir/local/testing'
import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, quick } from './testing/catalogue.ts'
import { type Customer, customerOf } from './testing/customer.ts'

const models = { 'acme-large': { id: 'acme/large', aliases: ['large'] } }
let weir: Weir
let customer: Customer

beforeAll(async () => {
  weir = await openWeir({ config: catalogueOf({ quick, 'acme-large': quick }, models) })
  customer = await customerOf(weir, { credits: 12.5 })
})
afterAll(() => weir?.[Symbol.asyncDispose]())

test('the models are listed with what they cost', async () => {
  const { data } = await customer.client.models.list()

  expect(data.map(({ id }) => id)).toEqual(['quick', 'acme/large', 'auto'])
  expect(data[0]).toMatchObject({ object: 'model', created: expect.any(Number), owned_by: 'quick' })
  expect(data[0]).toMatchObject({ price: { input: 1_000, output: 2_000, per: 1_000_000 } })
})

test('a model whose name has a slash is found by its id and by its alias', async () => {
  const byId = await customer.client.models.retrieve('acme/large')
  const byAlias = await customer.client.models.retrieve('large')

  expect(byId).toMatchObject({ id: 'acme/large', object: 'model', aliases: ['large'] })
  expect(byAlias).toEqual(byId)
})

test('a model that does not exist is a 404 of its own', async () => {
  const error = await customer.client.models.retrieve('acme/small').catch((error: unknown) => error)

  expect(error).toBeInstanceOf(OpenAI.NotFoundError)
  expect(error).toMatchObject({ code: 'model_not_found', param: 'model' })
})

test('a customer sees the credits of the account', async () => {
  const { status, body } = await get('/v1/credits', customer.apiKey)

  expect(status).toBe(200)
  const grants = [expect.objectContaining({ object: 'grant', kind: 'promotional', balance: 12.5, expires_at: null })]
  expect(body).toEqual({ object: 'credits', balance: 12.5, reserved: 0, available: 12.5, grants })
})

test('the process says that it is alive and ready, to whoever asks', async () => {
  expect(await get('/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } })
  // On a busy machine a look at one of them may come too late.
  await expect
    .poll(() => get('/readyz'))
    .toMatchObject({ status: 200, body: { status: 'ready', postgres: 'ok', redis: 'ok' } })
})

test('the API describes itself in OpenAPI 3.1', async () => {
  const { status, body } = await get('/openapi.json')

  expect(status).toBe(200)
  expect(body['openapi']).toMatch(/^3\.1\./)
  expect(Object.keys(body['paths'] as object)).toEqual(
    expect.arrayContaining([
      '/v1/chat/completions',
      '/v1/models',
      '/v1/models/{id}',
      '/v1/credits',
      '/v1/credits/entries',
      '/v1/usage',
      '/admin/v1/accounts',
      '/admin/v1/accounts/{id}/statement',
      '/admin/v1/prices',
    ]),
  )
  expect(unresolvedReferences(body)).toEqual([])
  const { post } = (body['paths'] as Record<string, { post: Record<string, object> }>)['/v1/chat/completions']!
  expect(post['requestBody']).toMatchObject({ content: { 'application/json': { schema: { type: 'object' } } } })
  expect(Object.keys(post['responses'] ?? {})).toContain('200')
})

test('the reference can be read in a browser', async () => {
  const page = await fetch(`${weir.url}/docs`)

  expect(page.status).toBe(200)
  expect(page.headers.get('content-type')).toMatch(/^text\/html/)
  expect(await page.text()).toContain('swagger-ui')
})

async function get(path: string, key?: string) {
  const headers = key ? { authorization: `Bearer ${key}` } : {}
  const response = await fetch(`${weir.url}${path}`, { headers })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

/** References within the document that lead nowhere. */
function unresolvedReferences(document: Record<string, unknown>): string[] {
  const references = JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]*)"/g)
  const leadsSomewhere = (path: string) =>
    path.split('/').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document) !==
    undefined
  return [...references].map(([, path]) => path ?? '').filter((path) => !leadsSomewhere(path))
}

test('the root of the service tells where all else is, and leads a browser to the reference', async () => {
  const headers = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
  const response = await fetch(`${weir.url}/`, { redirect: 'manual', headers })

  expect([response.status, response.headers.get('location')]).toEqual([302, '/docs'])
  expect(await get('/')).toMatchObject({
    status: 200,
    body: { name: 'Weir', documentation: '/docs', openapi: '/openapi.json', apis: { openai: '/v1/chat/completions' } },
  })
})

test.each([
  ['POST', '/v1/responses', 'use POST /v1/chat/completions'],
  ['POST', '/v1/complete', 'use POST /v1/messages'],
  ['POST', '/chat/completions', "lack '/v1'"],
  ['POST', '/v1/v1/messages?beta=true', "end in '/v1'"],
  ['GET', '/v1/threads', 'GET /openapi.json'],
  ['GET', '/favicon.ico', 'There is nothing at GET /favicon.ico.'],
])('who calls %s %s, where nothing is, is told what to do', async (method, path, advice) => {
  const response = await fetch(`${weir.url}${path}`, { method })

  expect(response.status).toBe(404)
  expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining(advice) } })
})
