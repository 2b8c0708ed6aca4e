import { newDeliveryId, newEndpointId } from '@weir/contracts'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type WebhooksFixture, openWebhooksFixture, tried } from './testing/webhooks-fixture.ts'
import { forgetWebhooks } from './webhook-upkeep.ts'

let store: WebhooksFixture
const { signal } = new AbortController()

beforeAll(async () => void (store = await openWebhooksFixture()))
afterAll(() => store?.[Symbol.asyncDispose]())

/** A delivery to a new endpoint that was tried so often, and came to nothing. */
async function failed(tries = 1) {
  const { endpoint } = await store.endpoint({ eventTypes: ['batch.failed'] })
  await store.emit('batch.failed')
  const outbox = store.outbox()
  const [id] = await outbox.claim(1)
  for (let i = 0; i < tries; i += 1) {
    const verdict = i + 1 === tries ? 'failed' : 'retry'
    await outbox.end(id!, i, tried({ verdict }))
    if (verdict === 'retry') await outbox.claim(1)
  }
  await store.endpoints.update(store.accountId, endpoint.id, { eventTypes: ['batch.expired'] })
  return { id: id!, endpoint, outbox }
}

test('what has failed is sent once more: its tries begin again, and all are remembered', async () => {
  const { id, outbox } = await failed(2)

  expect(await store.deliveries.redeliver(store.accountId, id)).toBe('begun')
  expect(await outbox.claim(10)).toEqual([id])
  expect(await outbox.begin(id)).toMatchObject({ attempts: 2, tries: 0 })
  await outbox.end(id, 2, tried({ verdict: 'delivered' }))

  expect(await store.deliveries.find(store.accountId, id)).toMatchObject({
    state: 'delivered',
    attempts: 3,
    nextAt: null,
  })
  expect((await store.deliveries.attemptsOf(id)).map(({ number }) => number)).toEqual([1, 2, 3])
})

test('what nobody wants, what was sent too often and what is not there is not sent once more', async () => {
  const { id, endpoint } = await failed()
  await store.endpoints.update(store.accountId, endpoint.id, { enabled: false })
  expect(await store.deliveries.redeliver(store.accountId, id)).toBe('not_wanted')
  await store.endpoints.update(store.accountId, endpoint.id, { enabled: true })
  await sql`update store.webhook_delivery set attempts = 100`.execute(store.db)
  expect(await store.deliveries.redeliver(store.accountId, id)).toBe('worn_out')
  expect(await store.deliveries.redeliver(store.otherId, id)).toBe('not_found')
  expect(await store.deliveries.redeliver(store.accountId, newDeliveryId())).toBe('not_found')
})

test('of an endpoint all that has failed in a time is sent once more, a page at a time, oldest first', async () => {
  const { endpoint } = await store.endpoint({ eventTypes: ['batch.cancelled'] })
  await store.emit('batch.cancelled', { times: 3 })
  await store.deliveries.abandon(endpoint.id)
  const filter = { endpointId: endpoint.id, state: 'failed' as const }
  const all = (await store.deliveries.list(store.accountId, filter, { limit: 10 })).map(({ id }) => id).toReversed()
  const hour = 3_600_000
  const range = { ...filter, since: new Date(Date.now() - hour), until: new Date(Date.now() + hour), limit: 2 }

  expect(await store.deliveries.redeliverRange(store.otherId, range)).toEqual([])
  expect(await store.deliveries.redeliverRange(store.accountId, { ...range, endpointId: newEndpointId() })).toEqual([])
  expect(await store.deliveries.redeliverRange(store.accountId, { ...range, until: range.since })).toEqual([])
  expect(await store.deliveries.redeliverRange(store.accountId, { ...range, state: 'delivered' })).toEqual([])
  const first = await store.deliveries.redeliverRange(store.accountId, range)
  expect(first).toEqual(all.slice(0, 2))
  expect(await store.deliveries.redeliverRange(store.accountId, { ...range, after: first.at(-1) })).toEqual(
    all.slice(2),
  )
})

test('of an endpoint all that waits for its next try is tried now, but for what is on its way', async () => {
  const { endpoint } = await store.endpoint({ eventTypes: ['batch.paused'] })
  await store.emit('batch.paused', { times: 2 })
  const outbox = store.outbox()
  await outbox.claim(10)
  const [underWay, tired] = await store.deliveries.list(store.accountId, { endpointId: endpoint.id }, { limit: 10 })
  await outbox.end(tired!.id, 0, tried({ verdict: 'retry', retryMs: 3_600_000 }))
  const hour = 3_600_000
  const range = { since: new Date(Date.now() - hour), until: new Date(Date.now() + hour), limit: 10 }

  const begun = await store.deliveries.redeliverRange(store.accountId, {
    ...range,
    endpointId: endpoint.id,
    state: 'pending',
  })
  expect(begun).toEqual([tired!.id])
  expect(await outbox.claim(10)).toEqual([tired!.id])
  expect(await outbox.end(underWay!.id, 0, tried({ verdict: 'delivered' }))).toBe(true)
})

test('an update that changes nothing is none', async () => {
  const { endpoint } = await store.endpoint()
  const { name, url, eventTypes } = endpoint

  const same = await store.endpoints.update(store.accountId, endpoint.id, { name, url, eventTypes, enabled: true })
  expect(same).toEqual(endpoint)
  const other = await store.endpoints.update(store.accountId, endpoint.id, { name: 'other' })
  expect(other!.updatedAt.getTime()).toBeGreaterThan(endpoint.updatedAt.getTime())
})

test('what is old is forgotten with its tries, but for what still waits', async () => {
  await sql`truncate store.webhook_endpoint, store.webhook_event, store.webhook_delivery, store.webhook_attempt,
    store.webhook_failing`.execute(store.db)
  await failed()
  await store.emit('batch.paused', { url: 'https://once.example/' })

  expect(await forgetWebhooks(store.db, { retentionMs: 3_600_000, signal })).toEqual({ deliveries: 0, events: 0 })
  // Kept until a minute from now, as it were.
  expect(await forgetWebhooks(store.db, { retentionMs: -60_000, signal })).toEqual({ deliveries: 1, events: 1 })

  const left = await store.deliveries.list(store.accountId, {}, { limit: 10 })
  expect(left).toMatchObject([{ state: 'pending', event: { type: 'batch.paused' } }])
  const { rows } = await sql`select from store.webhook_attempt union all select from store.webhook_failing`.execute(
    store.db,
  )
  expect(rows).toEqual([])
})
