import { type Weir, openWeir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, openai, quick } from './testing/catalogue.ts'
import { askedInBackground, cancelled, errorOf, rawCallsOf } from './testing/completions.ts'
import { type Customer, asking, customerOf } from './testing/customer.ts'
import { type Upstream, openUpstream } from './testing/upstream.ts'

let upstream: Upstream
let weir: Weir

beforeAll(async () => {
  upstream = await openUpstream()
  const backends = { upstream: openai(upstream), quick, other: quick, refusing: { ...quick, fault: 'refuse' } }
  weir = await openWeir({ config: catalogueOf(backends), workerEnv: { WEIR_MAX_ATTEMPTS: '1' } })
})
afterAll(async () => {
  await weir?.[Symbol.asyncDispose]()
  await upstream?.[Symbol.asyncDispose]()
})

/** Completions of a new customer, one after the other, each with its number in its metadata. */
async function customerWith(...models: string[]): Promise<Customer & { ids: string[] }> {
  const customer = await customerOf(weir, { credits: 1_000 })
  const { create } = rawCallsOf(weir, customer.apiKey)
  const ids: string[] = []
  for (const [i, model] of models.entries()) {
    const metadata = { number: String(i), parity: i % 2 ? 'odd' : 'even' }
    const response = await create({ ...asking(model), metadata })
    await response.text()
    ids.push(response.headers.get('x-weir-completion-id')!)
  }
  return { ...customer, ids }
}

const listed = async (customer: Customer, query: object): Promise<string[]> =>
  (await Array.fromAsync(customer.client.chat.completions.list(query))).map(({ id }) => id)

test('completions are listed newest first, page by page', async () => {
  const customer = await customerWith('quick', 'quick', 'quick', 'quick', 'quick')
  const newestFirst = customer.ids.toReversed()

  const page = await (await rawCallsOf(weir, customer.apiKey).get('?limit=2')).json()

  const entries = newestFirst.slice(0, 2).map((id) => expect.objectContaining({ id, status: 'completed', choices: [] }))
  const [first_id, last_id] = newestFirst
  expect(page).toEqual({ object: 'list', data: entries, has_more: true, first_id, last_id })
  expect(await listed(customer, { limit: 2 })).toEqual(newestFirst)
  expect(await listed(customer, { limit: 2, order: 'asc' })).toEqual(customer.ids)
  expect(await listed(customer, { after: customer.ids[2] })).toEqual(newestFirst.slice(3))
  expect(await listed(customer, { after: customer.ids[2], order: 'asc' })).toEqual(customer.ids.slice(3))
})

test('completions are listed by their model, their metadata and how they stand', async () => {
  const customer = await customerWith('quick', 'other', 'refusing', 'quick')
  const [first, second, refused, last] = customer.ids as [string, string, string, string]
  const { id: running } = await askedInBackground(customer.client, 'upstream')
  const call = await upstream.nextCall()

  expect(await listed(customer, { model: 'other' })).toEqual([second])
  expect(await listed(customer, { metadata: { parity: 'even' } })).toEqual([refused, first])
  expect(await listed(customer, { metadata: { parity: 'odd', number: '3' } })).toEqual([last])
  expect(await listed(customer, { metadata: { parity: 'odd', number: '2' } })).toEqual([])
  expect(await listed(customer, { status: 'failed' })).toEqual([refused])
  expect(await listed(customer, { status: 'waiting' })).toEqual([running])
  expect(await listed(customer, { background: true })).toEqual([running])
  expect(await listed(customer, { background: false, model: 'quick' })).toEqual([last, first])
  await cancelled(customer.client, running)
  await call.closed
  expect(await listed(customer, { status: 'cancelled' })).toEqual([running])
})

test.each(['limit=0', 'limit=101', 'after=x', 'order=up', 'status=done', 'colour=red', 'metadata[]=x', 'metadata=x'])(
  'a listing with ?%s is refused',
  async (query) => {
    const { apiKey } = await customerOf(weir)

    const refused = await errorOf(await rawCallsOf(weir, apiKey).get(`?${query}`))

    expect(refused).toMatchObject({ status: 400, param: query.split('=')[0] })
  },
)

test('nobody lists what belongs to another account', async () => {
  await customerWith('quick')

  expect(await listed(await customerOf(weir), {})).toEqual([])
})
