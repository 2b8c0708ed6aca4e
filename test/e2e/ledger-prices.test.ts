import { type Weir, openWeir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, openai } from './testing/catalogue.ts'
import { type Customer, asking, customerOf } from './testing/customer.ts'
import { type List, callsOf } from './testing/operator.ts'
import { patiently } from './testing/patiently.ts'
import { rowsOf } from './testing/rows.ts'
import { type Upstream, openUpstream } from './testing/upstream.ts'

let weir: Weir
let upstream: Upstream

/** An answer of ten tokens costs a tenth of a credit. */
const exact = { aliases: ['precise'], price: { input: 0, output: 10, per: 1_000 }, max_output_tokens: 10 }
const TEN = { prompt: 1, completion: 10 }

beforeAll(async () => {
  upstream = await openUpstream()
  weir = await openWeir({
    config: catalogueOf({ exact: openai(upstream), other: openai(upstream), full: openai(upstream) }, { exact }),
    apiEnv: { WEIR_PRICE_REFRESH_MS: '20' },
  })
})
afterAll(async () => {
  await weir?.[Symbol.asyncDispose]()
  await upstream?.[Symbol.asyncDispose]()
})

type Price = {
  id: string
  model: string
  output: number
  per: number
  source: string
  effective_at: string
  served: boolean
}

const tomorrow = () => new Date(Date.now() + 86_400_000).toISOString()
const outputPriceOf = async ({ client }: Customer, model: string) =>
  ((await client.models.retrieve(model)) as unknown as { price: { output: number } }).price.output

async function answered({ client }: Customer) {
  const answer = client.chat.completions.create(asking('exact'))
  const call = await upstream.nextCall()
  return async () => {
    call.say('Water.')
    call.finish(TEN)
    return ((await answer).usage as unknown as { credits_consumed: number }).credits_consumed
  }
}

test('a new price is for what is asked from then on; what runs keeps the price it was quoted with', async () => {
  const customer = await customerOf(weir)
  const finishOld = await answered(customer)

  const set = await callsOf(weir).post('prices', { model: 'precise', input: 0, output: '0.03', per: 1 })

  expect(set).toMatchObject({
    status: 201,
    body: {
      object: 'price',
      model: 'exact',
      input: 0,
      cached_input: 0,
      output: 30_000,
      per: 1_000_000,
      source: 'admin',
    },
  })
  await expect.poll(() => outputPriceOf(customer, 'exact'), patiently).toBe(30_000)
  const finishNew = await answered(customer)
  expect([await finishOld(), await finishNew()]).toEqual([0.1, 0.3])
  expect(await customer.charges()).toEqual([0.3, 0.1])
})

test('a price may have a part for whatever a completion can use, and models show it', async () => {
  const customer = await customerOf(weir)
  const tokens = { input: 3, cached_input: 0.3, cache_write: 3.75, output: 15, reasoning: 12 }
  const others = { image: 0.001, request: '0.0001', minimum: 0.5, batch_discount: 50 }

  const set = await callsOf(weir).post('prices', { model: 'full', ...tokens, ...others })

  const told = { ...tokens, ...others, request: 0.0001, per: 1_000_000 }
  expect(set).toMatchObject({ status: 201, body: { model: 'full', ...told } })
  await expect.poll(() => outputPriceOf(customer, 'full'), patiently).toBe(15)
  expect((await customer.client.models.retrieve('full')) as unknown).toMatchObject({ price: told })
})

test('an answer costs its request on top of its tokens, and at least the minimum', async () => {
  const customer = await customerOf(weir)
  const cost = async () => (await answered(customer))()
  const price = { model: 'exact', input: 0, output: 0.01, per: 1, request: 0.05 }

  await callsOf(weir).post('prices', price)
  await expect.poll(() => outputPriceOf(customer, 'exact'), patiently).toBe(10_000)
  const withRequest = await cost()
  await callsOf(weir).post('prices', { ...price, output: 0.02, minimum: 0.4 })
  await expect.poll(() => outputPriceOf(customer, 'exact'), patiently).toBe(20_000)

  expect([withRequest, await cost()]).toEqual([0.15, 0.4])
})

test('a price to come is listed and does not count yet', async () => {
  const customer = await customerOf(weir)
  const admin = callsOf(weir)
  const before = await outputPriceOf(customer, 'other')

  const { body } = await admin.post<Price>('prices', { model: 'other', input: 1, output: 99, effective_at: tomorrow() })

  const { data } = (await admin.get<List<Price>>('prices')).body
  expect(data.filter(({ model }) => model === 'other').map(({ id, source }) => [id, source])).toEqual([
    [expect.stringMatching(/^price_/), 'catalogue'],
    [body.id, 'admin'],
  ])
  expect(await outputPriceOf(customer, 'other')).toBe(before)
})

test('the price of a model that has left the catalogue is still listed, and says so', async () => {
  await rowsOf(
    weir.databaseUrl,
    `insert into ledger.price_version (id, model, effective_at, price, source)
      select gen_random_uuid(), 'departed', effective_at, price, source from ledger.price_version limit 1`,
  )
  const admin = callsOf(weir)

  const { data } = (await admin.get<List<Price>>('prices')).body
  const history = (await admin.get<List<Price>>('prices/history?model=departed')).body

  const served = Object.fromEntries(data.map(({ model, served }) => [model, served]))
  expect(served).toEqual({ exact: true, other: true, full: true, departed: false })
  expect(history.data).toMatchObject([{ model: 'departed', served: false }])
})

test('all prices that a model ever had are listed, newest first, page by page', async () => {
  const admin = callsOf(weir)
  for (const output of [4, 5, 6]) await admin.post('prices', { model: 'other', input: 1, output })

  const { data } = (await admin.get<List<Price>>('prices/history?model=other')).body
  const first = (await admin.get<List<Price>>('prices/history?model=other&limit=2')).body
  const rest = (await admin.get<List<Price>>(`prices/history?model=other&after=${first.last_id}`)).body

  expect(data.slice(-4).map(({ output, source }) => [output, source])).toEqual([
    [6, 'admin'],
    [5, 'admin'],
    [4, 'admin'],
    [2_000, 'catalogue'],
  ])
  expect([...first.data, ...rest.data]).toEqual(data)
  expect([first.has_more, rest.has_more]).toEqual([true, false])
})

test('parts of a price that are not named stay as they will be by then, and null takes one away', async () => {
  const { post } = callsOf(weir)
  const planned = { model: 'full', output: 9, effective_at: tomorrow() }
  await post('prices', { model: 'full', input: 4, cached_input: 1, output: 8, batch_discount: 50 })

  const { body: later } = await post('prices', planned)
  const { body: now } = await post('prices', { model: 'full', input: 5, batch_discount: null })
  const { body: last } = await post('prices', { model: 'full', cached_input: null, effective_at: planned.effective_at })

  expect(later).toMatchObject({ input: 4, cached_input: 1, output: 9, batch_discount: 50 })
  expect(now).toMatchObject({ input: 5, cached_input: 1, output: 8, batch_discount: 0 })
  expect(last).toMatchObject({ input: 4, cached_input: 4, output: 9, batch_discount: 50 })
})

test.each([
  [{ model: 'nobody', input: 1, output: 1 }, 404, 'model'],
  [{ model: 'exact', input: 1, output: 1, effective_at: '2020-01-01T00:00:00Z' }, 400, 'effective_at'],
  [{ model: 'exact', input: 1, output: 1, effective_at: 'soon' }, 400, 'effective_at'],
  [{ model: 'exact', input: 1, output: 0.000001, per: 10_000_000 }, 400, 'output'],
  [{ model: 'exact', input: -1, output: 1 }, 400, 'input'],
  [{ model: 'exact', input: 1, cached_input: '1e3', output: 1 }, 400, 'cached_input'],
  [{ model: 'exact', input: 1, output: 1, per: 0 }, 400, 'per'],
  [{ model: 'exact', per: 1 }, 400, 'input'],
  [{ model: 'exact', input: 1, output: 1_000_000, per: 1 }, 400, 'output'],
  [{ model: 'exact', input: '1000.000001', output: 1, per: 1 }, 400, 'input'],
  [{ model: 'exact', input: 1, output: 1, reasoning: 0.000001, per: 10_000_000 }, 400, 'reasoning'],
  [{ model: 'exact', input: 1, output: 1, image: '0.0000001' }, 400, 'image'],
  [{ model: 'exact', input: 1, output: 1, minimum: 1_001 }, 400, 'minimum'],
  [{ model: 'exact', input: 1, output: 1, batch_discount: 101 }, 400, 'batch_discount'],
])('the price %j is refused', async (price, status, param) => {
  expect(await callsOf(weir).post('prices', price)).toMatchObject({ status, body: { error: { param } } })
})
