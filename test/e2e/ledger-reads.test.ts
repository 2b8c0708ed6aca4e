import { type CompletionId, messageIdOf } from '@weir/contracts'
import { type Weir, openWeir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, quick } from './testing/catalogue.ts'
import { asking, customerOf } from './testing/customer.ts'
import { type Entry, type Grant, type List, callsOf, keyIdOf, sumOf } from './testing/operator.ts'

let weir: Weir
beforeAll(async () => void (weir = await openWeir({ config: catalogueOf({ quick, slow: quick }) })))
afterAll(() => weir?.[Symbol.asyncDispose]())

type Usage = {
  starts_at: string
  model: string | null
  key_id: string | null
  requests: number
  input_tokens: number
  cached_input_tokens: number
  output_tokens: number
  credits: number
}

/** A customer who has asked two models, plainly and in streams, and what the answers said. */
async function busyCustomer() {
  const customer = await customerOf(weir)
  const usages = []
  for (const model of ['quick', 'slow', 'quick']) {
    const { usage } = await customer.client.chat.completions.create(asking(model))
    usages.push({ model, ...usage! })
    const options = { stream: true, stream_options: { include_usage: true } } as const
    for await (const chunk of await customer.client.chat.completions.create({ ...asking(model), ...options }))
      if (chunk.usage) usages.push({ model, ...chunk.usage })
  }
  return { ...customer, calls: callsOf(weir, customer.apiKey), usages: usages as unknown as UsageOfAnswer[] }
}
type UsageOfAnswer = { model: string; prompt_tokens: number; completion_tokens: number; credits_consumed: number }

test('answers, entries, usage and the balance say the same', async () => {
  const { calls, usages, credits } = await busyCustomer()
  const consumed = sumOf(usages.map(({ credits_consumed }) => credits_consumed))

  const entries = (await calls.get<List<Entry>>('credits/entries')).body.data
  const usage = (await calls.get<List<Usage>>('usage')).body.data

  const charges = entries.filter(({ kind }) => kind === 'charge')
  expect(usages).toHaveLength(6)
  expect(consumed).toBeGreaterThan(0)
  expect(-sumOf(charges.map(({ credits }) => credits))).toBe(consumed)
  expect(sumOf(usage.map(({ credits }) => credits))).toBe(consumed)
  expect((await credits()).balance).toBe(sumOf([100, -consumed]))
  const ofQuick = usages.filter(({ model }) => model === 'quick')
  expect(usage.find(({ model }) => model === 'quick')).toMatchObject({
    requests: 4,
    input_tokens: sumOf(ofQuick.map(({ prompt_tokens }) => prompt_tokens)),
    cached_input_tokens: 0,
    output_tokens: sumOf(ofQuick.map(({ completion_tokens }) => completion_tokens)),
    credits: sumOf(ofQuick.map(({ credits_consumed }) => credits_consumed)),
  })
})

test('usage comes by hour, day or month, by model and key or neither, page by page, to customer and operator', async () => {
  const { accountId, calls } = await busyCustomer()
  const admin = callsOf(weir)
  const keyId = await keyIdOf(admin, accountId)
  const rowsOf = async (query: string) => {
    const [own, operators] = await Promise.all([
      calls.get<List<Usage>>(`usage?${query}`),
      admin.get<List<Usage>>(`accounts/${accountId}/usage?${query}`),
    ])
    expect(operators.body).toEqual(own.body)
    // An hour may have ended in between.
    const rows = Map.groupBy(own.body.data, ({ model, key_id }) => JSON.stringify([model, key_id]))
    return [...rows].map(([of, all]) => [...JSON.parse(of), all.reduce((sum, { requests }) => sum + requests, 0)])
  }

  expect(await rowsOf('bucket=hour&group_by=')).toEqual([[null, null, 6]])
  expect(await rowsOf('bucket=hour&group_by=none')).toEqual([[null, null, 6]])
  expect(await rowsOf('bucket=day')).toEqual([
    ['quick', null, 4],
    ['slow', null, 2],
  ])
  expect(await rowsOf('bucket=month&group_by=key')).toEqual([[null, keyId, 6]])
  expect(await rowsOf(`group_by=key,model&model=slow&key_id=${keyId}`)).toEqual([['slow', keyId, 2]])
  expect(await rowsOf('from=2020-01-01&to=2020-02-01')).toEqual([])

  const first = (await calls.get<List<Usage>>('usage?bucket=month&limit=1')).body
  const second = (await calls.get<List<Usage>>(`usage?bucket=month&limit=1&after=${first.last_id}`)).body
  expect([first, second]).toMatchObject([
    { has_more: true, data: [{ model: 'quick' }] },
    { has_more: false, data: [{ model: 'slow' }] },
  ])
})

test('entries are read page by page, or those of one completion', async () => {
  const { accountId, calls, client } = await busyCustomer()
  const { id } = await client.chat.completions.create(asking('quick'))
  const all = (await calls.get<List<Entry>>('credits/entries')).body

  const first = (await calls.get<List<Entry>>('credits/entries?limit=3')).body
  const rest = (await calls.get<List<Entry>>(`credits/entries?after=${first.last_id}`)).body
  const ofOne = (await calls.get<List<Entry>>(`credits/entries?completion_id=${id}`)).body
  const asMessage = `completion_id=${messageIdOf(id as CompletionId)}`

  expect(all.data.map(({ sequence }) => sequence)).toEqual([8, 7, 6, 5, 4, 3, 2, 1])
  expect(all).toMatchObject({ object: 'list', has_more: false, last_id: '1' })
  expect(first).toMatchObject({ has_more: true, last_id: '6' })
  expect([...first.data, ...rest.data]).toEqual(all.data)
  expect(ofOne.data).toEqual([all.data[0]])
  for (const own of [
    calls.get(`credits/entries?${asMessage}`),
    callsOf(weir).get(`accounts/${accountId}/entries?${asMessage}`),
  ])
    expect((await own).body).toEqual(ofOne)
  expect(ofOne.data[0]).toMatchObject({ kind: 'charge', completion_id: id, action_id: null, reason: null })
  expect((await callsOf(weir).get<List<Entry>>(`accounts/${accountId}/entries`)).body).toEqual(all)
})

test('grants are listed in the order in which they are drawn, and drawn in that order', async () => {
  const { accountId, apiKey, client } = await customerOf(weir, { credits: 0 })
  const [admin, calls] = [callsOf(weir), callsOf(weir, apiKey)]
  const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()
  const given: Record<string, string> = {}
  for (const [name, grant] of Object.entries({
    last: { credits: 10, kind: 'purchased' },
    fourth: { credits: 10, kind: 'promotional' },
    third: { credits: 10, kind: 'purchased', expires_at: inDays(2) },
    second: { credits: 10, kind: 'subscription', expires_at: inDays(1) },
    first: { credits: 0.000001, kind: 'purchased', priority: 5 },
  }))
    given[name] = (await admin.post<Grant>(`accounts/${accountId}/grants`, grant)).body.id
  const ids = ['first', 'second', 'third', 'fourth', 'last'].map((name) => given[name])

  const before = (await calls.get<{ grants: Grant[]; available: number }>('credits')).body
  const { id } = await client.chat.completions.create(asking('quick'))
  const drawn = (await calls.get<List<Entry>>(`credits/entries?completion_id=${id}`)).body.data
  const after = (await calls.get<{ grants: Grant[] }>('credits')).body

  expect(before).toMatchObject({ balance: 40.000001, available: 40.000001, grants: ids.map((id) => ({ id })) })
  expect(before.grants[1]).toMatchObject({ expires_at: expect.any(String), priority: 100, revoked_at: null })
  expect(drawn.reverse().map(({ grant_id }) => grant_id)).toEqual(ids.slice(0, 2))
  expect(after.grants.map(({ id }) => id)).toEqual(ids.slice(1))
})

test('what belongs to another customer is not there', async () => {
  const [mine, theirs] = await Promise.all([customerOf(weir), busyCustomer()])
  const calls = callsOf(weir, mine.apiKey)
  const { id } = await theirs.client.chat.completions.create(asking('quick'))
  const theirKey = await keyIdOf(callsOf(weir), theirs.accountId)

  expect(await calls.get(`credits/entries?completion_id=${id}`)).toMatchObject({
    status: 404,
    body: { error: { code: 'not_found', param: 'completion_id' } },
  })
  expect(await calls.get(`usage?key_id=${theirKey}`)).toMatchObject({
    status: 404,
    body: { error: { code: 'not_found', param: 'key_id' } },
  })
  expect((await calls.get<List<Entry>>('credits/entries')).body.data).toHaveLength(1)
  expect((await calls.get<List<Usage>>('usage')).body.data).toEqual([])
})
