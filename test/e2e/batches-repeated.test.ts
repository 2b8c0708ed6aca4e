import { type Weir, openWeir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { lineOf, uploaded } from './testing/batches.ts'
import { catalogueOf, quick } from './testing/catalogue.ts'
import { customerOf } from './testing/customer.ts'

let weir: Weir

beforeAll(async () => {
  weir = await openWeir({ config: catalogueOf({ quick }, { quick: {} }), apis: 2 })
})
afterAll(() => weir?.[Symbol.asyncDispose]())

/** Creates batches with one key, at the replicas in turn. */
async function keyed(path: string, headers: Record<string, string>) {
  const { apiKey, client } = await customerOf(weir)
  let asked = 0
  const create = async (body: object) => {
    const answer = await fetch(`${weir.urls[asked++ % 2]}${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${apiKey}`,
        'content-type': 'application/json',
        'idempotency-key': 'mine',
        ...headers,
      },
      body: JSON.stringify(body),
    })
    const replayed = answer.headers.get('idempotent-replayed')
    const { id, error } = (await answer.json()) as { id?: string; error?: { code?: string; type?: string } }
    return { status: answer.status, replayed, id, error }
  }
  return { client, create }
}

test('a batch that is created again with its key is the same one, and another request with that key is refused', async () => {
  const { client, create } = await keyed('/v1/batches', {})
  const input_file_id = await uploaded(client, [lineOf('a')])
  const body = { input_file_id, endpoint: '/v1/chat/completions', completion_window: '24h', max_credits: 0.5 }

  const first = await create(body)
  const again = await Promise.all([create(body), create(body)])

  expect(first).toMatchObject({ status: 200, replayed: null })
  for (const { id, replayed } of again) expect({ id, replayed }).toEqual({ id: first.id, replayed: 'true' })
  expect(await create({ ...body, max_credits: 0.6 })).toMatchObject({
    status: 400,
    error: { code: 'idempotency_key_reused' },
  })
  expect((await client.batches.list()).data).toHaveLength(1)
})

test('so is a batch of messages', async () => {
  const { client, create } = await keyed('/v1/messages/batches', { 'anthropic-version': '2023-06-01' })
  const params = { model: 'quick', max_tokens: 10, messages: [{ role: 'user', content: 'Hello' }] }
  const body = { requests: [{ custom_id: 'a', params }] }

  const first = await create(body)

  expect(first).toMatchObject({ status: 200, replayed: null })
  expect(await create(body)).toMatchObject({ id: first.id, replayed: 'true' })
  expect(await create({ requests: [{ custom_id: 'b', params }] })).toMatchObject({
    status: 400,
    error: { type: 'invalid_request_error' },
  })
  expect((await client.batches.list()).data).toHaveLength(1)
})
