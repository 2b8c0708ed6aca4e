import { openWeir, type Weir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, quick } from './testing/catalogue.ts'
import { type Customer, customerOf } from './testing/customer.ts'

let weir: Weir
let customers: Customer[]

beforeAll(async () => {
  weir = await openWeir({ config: catalogueOf({ quick }) })
  customers = [await customerOf(weir), await customerOf(weir)]
})
afterAll(() => weir?.[Symbol.asyncDispose]())

test('nobody is told that another account has sent the same prompt before', async () => {
  const [one, other] = customers

  const first = await cachedFor(one!)
  const again = await cachedFor(one!)
  const elsewhere = await cachedFor(other!)

  expect(first).toBe(0)
  expect(again).toBeGreaterThan(0)
  expect(elsewhere).toBe(0)
})

async function cachedFor({ apiKey }: Customer): Promise<number> {
  const content = [{ type: 'text', text: 'A secret of ours, at length.', cache_control: { type: 'ephemeral' } }]
  const response = await fetch(`${weir.url}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': apiKey, 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({ model: 'quick', max_tokens: 8, messages: [{ role: 'user', content }] }),
  })
  expect(response.status).toBe(200)
  return ((await response.json()) as { usage: { cache_read_input_tokens: number } }).usage.cache_read_input_tokens
}
