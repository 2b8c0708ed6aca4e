import { type Weir, openWeir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, quick } from './testing/catalogue.ts'
import { errorOf, rawCallsOf } from './testing/completions.ts'
import { asking, customerOf } from './testing/customer.ts'
import { failureOf, refusalOf } from './testing/failure.ts'

let weir: Weir

beforeAll(async () => {
  const recovering = { ...quick, fault: 'refuse', fault_times: 1 }
  weir = await openWeir({ config: catalogueOf({ quick, recovering }), workerEnv: { WEIR_MAX_ATTEMPTS: '1' } })
})
afterAll(() => weir?.[Symbol.asyncDispose]())

const headers = { 'idempotency-key': 'mine' }

/** A new customer, for whom that key is a new one. */
async function keyedCustomer(credits = 100) {
  const customer = await customerOf(weir, { credits })
  return { ...customer, ...rawCallsOf(weir, customer.apiKey) }
}

const replayed = (response: Response) => response.headers.get('idempotent-replayed')

test('a key stands for one request: with another body it is refused', async () => {
  const { create, charges } = await keyedCustomer()
  await (await create(asking('quick'), headers)).text()

  for (const other of [asking('quick', 'Something else.'), { ...asking('quick'), temperature: 1 }]) {
    const refused = await errorOf(await create(other, headers))
    expect(refused).toMatchObject({ status: 400, code: 'idempotency_key_reused', param: 'Idempotency-Key' })
  }
  expect(await charges()).toEqual([0.053])
})

test.each(['', 'with space', 'ü'.repeat(3), 'x'.repeat(256)])('%j is no key', async (key) => {
  const { create, credits } = await keyedCustomer()

  const refused = await errorOf(
    await create(asking('quick'), { 'idempotency-key': Buffer.from(key).toString('latin1') }),
  )

  expect(refused).toMatchObject({ status: 400, code: 'invalid_request', param: 'Idempotency-Key' })
  expect((await credits()).reserved).toBe(0)
})

test('the same key of another account is another key', async () => {
  const [mine, yours] = [await keyedCustomer(), await keyedCustomer()]
  const first = await mine.create(asking('quick'), headers)

  const second = await yours.create(asking('quick'), headers)

  expect(replayed(second)).toBeNull()
  expect(second.headers.get('x-weir-completion-id')).not.toBe(first.headers.get('x-weir-completion-id'))
  expect(await yours.charges()).toEqual([0.053])
})

test('a key whose completion failed for free may be used again, and then makes a new one', async () => {
  const { client, charges } = await keyedCustomer()
  const ask = () => client.chat.completions.create(asking('recovering'), { headers })
  const failure = await failureOf(ask())

  const completion = await ask()

  expect(failure).toMatchObject({ status: 502, code: 'backend_error' })
  expect((failure.error as { completion_id: string }).completion_id).not.toBe(completion.id)
  expect(await charges()).toEqual([0.053])
})

test('a key whose request was refused for want of credits is not held', async () => {
  const { client, accountId, charges } = await keyedCustomer(0.1)
  const ask = () => client.chat.completions.create(asking('quick'), { headers })
  const refusal = await refusalOf(ask())
  await fetch(`${weir.url}/admin/v1/accounts/${accountId}/grants`, {
    method: 'POST',
    headers: { authorization: `Bearer ${weir.adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ credits: 100, kind: 'purchased' }),
  })

  const completion = await ask()

  expect(refusal).toMatchObject({ status: 402, code: 'credit_balance_exhausted' })
  expect(await charges(completion.id)).toEqual([0.053])
})

test('a request that is repeated needs no credits of its own', async () => {
  const { client, credits } = await keyedCustomer(2.2)
  const ask = () => client.chat.completions.create(asking('quick'), { headers })
  const first = await ask()
  expect((await credits()).available).toBeLessThan(2.15)

  expect(await ask()).toEqual(first)

  // Without the key it would cost more than there is.
  expect(await refusalOf(client.chat.completions.create(asking('quick')))).toMatchObject({ status: 402 })
})
