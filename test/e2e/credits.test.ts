import { type Weir, openWeir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, quick } from './testing/catalogue.ts'
import { type Entry, asking, clientOf, customerOf } from './testing/customer.ts'

let weir: Weir

// Input is free and an answer is as long as its cap: the quote is exactly what it will cost, a tenth of a credit.
const exact = { price: { input: 0, output: 10, per: 1_000 }, max_output_tokens: 10 }

beforeAll(async () => {
  weir = await openWeir({
    config: catalogueOf({ exact: { ...quick, output_tokens: 10 } }, { exact }),
    apis: 2,
    workers: 2,
  })
})
afterAll(() => weir?.[Symbol.asyncDispose]())

test('two hundred calls race for credits that pay fifty: fifty are served and the balance ends at nothing', async () => {
  const { apiKey, credits, entries } = await customerOf(weir, { credits: 5 })
  const clients = weir.urls.map((url) => clientOf(apiKey, url))
  const statusOf = async (n: number) => {
    const asked = clients[n % 2]!.chat.completions.create({ ...asking('exact'), max_completion_tokens: 10 })
    return asked.then(
      () => 200,
      (error: { status: number }) => error.status,
    )
  }

  const statuses = await Promise.all(Array.from({ length: 200 }, (_, n) => statusOf(n)))

  expect(statuses.filter((status) => status === 200)).toHaveLength(50)
  expect(statuses.filter((status) => status === 402)).toHaveLength(150)
  expect(await credits()).toEqual({ balance: 0, reserved: 0, available: 0 })
  expectSoundBooks(await entries(), 0)
})

test('streams and plain calls of many accounts at once leave books that add up', async () => {
  const customers = await Promise.all(Array.from({ length: 5 }, (_, n) => customerOf(weir, { credits: 1 + n / 10 })))
  const asked = customers.flatMap(({ apiKey }) =>
    weir.urls.flatMap((url) => Array.from({ length: 10 }, (_, n) => ask(clientOf(apiKey, url), n % 2 === 0))),
  )

  await Promise.all(asked)

  for (const { credits, entries } of customers) {
    const { balance, reserved } = await credits()
    expect({ balance, reserved }).toEqual({ balance: 0, reserved: 0 })
    expectSoundBooks(await entries(), balance)
  }
})

test('a grant that is given again under the same reference is given once', async () => {
  const { accountId, credits, entries } = await customerOf(weir, { credits: 0 })
  const grant = { credits: '2.5', kind: 'purchased', reference: 'invoice-17' }

  const answers = await Promise.all(Array.from({ length: 5 }, (_, n) => give(weir.urls[n % 2]!, accountId, grant)))

  expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 201])
  expect(new Set(answers.map(({ id }) => id)).size).toBe(1)
  expect(await credits()).toEqual({ balance: 2.5, reserved: 0, available: 2.5 })
  expect(await entries()).toMatchObject([{ kind: 'grant', credits: 2.5, balance_after: 2.5 }])
})

/** Every answer, of either kind, or its refusal. */
async function ask(client: ReturnType<typeof clientOf>, stream: boolean): Promise<void> {
  const request = { ...asking('exact'), max_completion_tokens: 10 }
  try {
    if (!stream) return void (await client.chat.completions.create(request))
    for await (const _ of await client.chat.completions.create({ ...request, stream }));
  } catch (error) {
    expect(error).toMatchObject({ status: 402 })
  }
}

/** No gap in the entries, nobody charged twice, no grant below nothing, and the balance is their sum. */
function expectSoundBooks(entries: Entry[], balance: number) {
  const charges = entries.filter(({ kind }) => kind === 'charge')
  expect(entries.map(({ sequence }) => sequence)).toEqual(entries.map((_, n) => entries.length - n))
  expect(new Set(charges.map(({ completion_id }) => completion_id)).size).toBe(charges.length)
  expect(entries.every(({ balance_after }) => balance_after !== null && balance_after >= 0)).toBe(true)
  const sum = entries.reduce((total, { credits }) => total + Math.round(credits * 1e6), 0)
  expect(sum).toBe(Math.round(balance * 1e6))
}

async function give(url: string, accountId: string, grant: object): Promise<{ status: number; id: string }> {
  const response = await fetch(`${url}/admin/v1/accounts/${accountId}/grants`, {
    method: 'POST',
    headers: { authorization: `Bearer ${weir.adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(grant),
  })
  return { status: response.status, ...((await response.json()) as { id: string }) }
}

test('a reference that was used for another grant is refused, and nothing is given', async () => {
  const { accountId, credits } = await customerOf(weir)
  const give = (body: object) =>
    fetch(`${weir.url}/admin/v1/accounts/${accountId}/grants`, {
      method: 'POST',
      headers: { authorization: `Bearer ${weir.adminKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ kind: 'purchased', reference: 'invoice 7', ...body }),
    })
  expect((await give({ credits: 1 })).status).toBe(201)

  const refused = await give({ credits: 2 })

  expect(refused.status).toBe(400)
  expect(await refused.json()).toMatchObject({ error: { param: 'reference' } })
  expect((await credits()).balance).toBe(101)
})
