import { type Weir, openWeir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, openai, quick } from './testing/catalogue.ts'
import { type Shown, askedInBackground, cancelled, shown, untilStatus } from './testing/completions.ts'
import { type Customer, asking, customerOf, plainTextOf, textOf } from './testing/customer.ts'
import { refusalOf } from './testing/failure.ts'
import { forgetEverything } from './testing/forget-everything.ts'
import { type Upstream, openUpstream } from './testing/upstream.ts'

let upstream: Upstream
let weir: Weir

beforeAll(async () => {
  upstream = await openUpstream()
  weir = await openWeir({ config: catalogueOf({ upstream: openai(upstream), quick }) })
})
afterAll(async () => {
  await weir?.[Symbol.asyncDispose]()
  await upstream?.[Symbol.asyncDispose]()
})

/** A customer with a completion that has ended. */
async function customerWithCompletion() {
  const customer = await customerOf(weir)
  const { id } = await customer.client.chat.completions.create({ ...asking('quick'), store: true })
  return { ...customer, id }
}

const idsOf = async ({ client }: Customer, query: object = {}): Promise<string[]> =>
  (await Array.fromAsync(client.chat.completions.list(query))).map(({ id }) => id)

test.each([false, true])('what was stored is there when Redis has forgotten it (stream: %s)', async (stream) => {
  await using fresh = await openWeir({ config: catalogueOf({ quick }) })
  const { client } = await customerOf(fresh)
  const request = { ...asking('quick'), store: true, metadata: { order: '7' } }
  const text = stream
    ? await textOf(await client.chat.completions.create({ ...request, stream }))
    : plainTextOf(await client.chat.completions.create(request))
  const [{ id }] = (await client.chat.completions.list()).data as [Shown]

  await forgetEverything(fresh)

  const stored = await shown(client, id)
  expect(plainTextOf(stored)).toBe(text)
  expect(stored).toMatchObject({ status: 'completed', metadata: { order: '7' }, usage: { credits_consumed: 0.053 } })
})

test('what was not stored is known without its text once Redis has forgotten it', async () => {
  await using fresh = await openWeir({ config: catalogueOf({ quick }) })
  const { client } = await customerOf(fresh)
  const { id, usage } = await client.chat.completions.create(asking('quick'))

  await forgetEverything(fresh)

  expect(await shown(client, id)).toMatchObject({ id, status: 'completed', choices: [], usage })
})

test('the metadata of a completion can be replaced, while it runs and once it has ended', async () => {
  const customer = await customerWithCompletion()
  const { id } = customer
  const { id: running } = await askedInBackground(customer.client, 'upstream', { metadata: { a: '1' } })
  const call = await upstream.nextCall()

  const updated = await customer.client.chat.completions.update(id, { metadata: { colour: 'blue' } })
  const changed = await customer.client.chat.completions.update(running, { metadata: { b: '2' } })

  expect(updated).toMatchObject({ id, metadata: { colour: 'blue' } })
  expect(plainTextOf(updated)).toMatch(/^Simulated/)
  expect(changed).toMatchObject({ status: 'in_progress', metadata: { b: '2' } })
  expect(await idsOf(customer, { metadata: { colour: 'blue' } })).toEqual([id])
  expect(await customer.client.chat.completions.update(id, { metadata: null })).toMatchObject({ metadata: {} })
  call.say('Done.')
  call.finish()
  expect(await untilStatus(customer.client, running, 'completed')).toMatchObject({ metadata: { b: '2' } })
})

const pairs = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`key-${i}`, 'value']))

test.each([pairs(17), { ['k'.repeat(65)]: 'v' }, { key: 'v'.repeat(513) }, { '': 'v' }, { key: 'a\0b' }, { key: 7 }])(
  'metadata beyond its bounds is refused (%#)',
  async (metadata) => {
    const { client, id } = await customerWithCompletion()
    const sent = metadata as Record<string, string>

    const refusals = [
      await refusalOf(client.chat.completions.create({ ...asking('quick'), metadata: sent })),
      await refusalOf(client.chat.completions.update(id, { metadata: sent })),
    ]

    for (const refusal of refusals) expect(refusal).toMatchObject({ status: 400, code: 'invalid_request' })
    for (const { param } of refusals) expect(param).toMatch(/^metadata/)
  },
)

test('metadata within its bounds is kept to the letter', async () => {
  const metadata = { ...pairs(15), ['k'.repeat(64)]: 'v'.repeat(510) + '🌊' }
  const { client } = await customerOf(weir)

  const { id } = await client.chat.completions.create({ ...asking('quick'), metadata })

  expect((await shown(client, id)).metadata).toEqual(metadata)
})

test('a completion that was deleted is gone, but for its place in the books', async () => {
  const customer = await customerWithCompletion()
  const { client, id } = customer
  const { id: other } = await client.chat.completions.create(asking('quick'))

  const deleted = await client.chat.completions.delete(id)

  expect(deleted).toEqual({ object: 'chat.completion.deleted', id, deleted: true })
  for (const ask of [
    () => client.chat.completions.retrieve(id),
    () => client.chat.completions.update(id, { metadata: {} }),
    () => client.chat.completions.delete(id),
    () => cancelled(client, id),
    () => client.get(`/chat/completions/${id}/stream`),
  ])
    expect(await refusalOf(ask())).toMatchObject({ status: 404, code: 'not_found' })
  expect(await idsOf(customer)).toEqual([other])
  expect(await client.get(`/chat/completions/${id}/receipt`)).toMatchObject({ completion_id: id })
  expect(await customer.charges(id)).toEqual([0.053])
})

test('a completion that has not ended cannot be deleted', async () => {
  const { client } = await customerOf(weir)
  const { id } = await askedInBackground(client, 'upstream')
  const call = await upstream.nextCall()

  const refusal = await refusalOf(client.chat.completions.delete(id))

  expect(refusal).toMatchObject({ status: 409, code: 'not_finished' })
  call.say('Undisturbed.')
  call.finish()
  await untilStatus(client, id, 'completed')
  expect(await client.chat.completions.delete(id)).toMatchObject({ deleted: true })
})

test('nobody changes or deletes what belongs to another account', async () => {
  const [{ id }, { client }] = [await customerWithCompletion(), await customerOf(weir)]

  for (const ask of [
    () => client.chat.completions.update(id, { metadata: {} }),
    () => client.chat.completions.delete(id),
  ])
    expect(await refusalOf(ask())).toMatchObject({ status: 404, code: 'not_found' })
})
