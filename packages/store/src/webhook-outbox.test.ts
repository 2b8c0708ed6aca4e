import { newDeliveryId } from '@weir/contracts'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { PEPPER, type WebhooksFixture, openWebhooksFixture, tried } from './testing/webhooks-fixture.ts'

let store: WebhooksFixture
const all = { limit: 1_000 }

beforeAll(async () => void (store = await openWebhooksFixture()))
beforeEach(async () => {
  await sql`truncate store.webhook_endpoint, store.webhook_event, store.webhook_delivery, store.webhook_attempt,
    store.webhook_failing, store.webhook_secret`.execute(store.db)
})
afterAll(() => store?.[Symbol.asyncDispose]())

test('an event is told to every endpoint of its account that wants it, and to nobody else', async () => {
  const { endpoint: one } = await store.endpoint()
  const { endpoint: two } = await store.endpoint({ eventTypes: ['batch.failed', 'batch.completed'] })
  await store.endpoint({ eventTypes: ['batch.failed'] })
  await store.endpoint({ accountId: store.otherId })
  const { endpoint: disabled } = await store.endpoint()
  await store.endpoints.update(store.accountId, disabled.id, { enabled: false })

  await store.emit('batch.completed')

  const told = await store.deliveries.list(store.accountId, {}, all)
  expect(told.map(({ endpointId }) => endpointId).toSorted()).toEqual([one.id, two.id].toSorted())
  expect(await store.deliveries.list(store.otherId, {}, all)).toEqual([])
  expect(new Set(told.map(({ event }) => event.id)).size).toBe(1)
})

test('the address of a request is told beside the endpoints, and an event with nobody to tell is not written', async () => {
  const { endpoint } = await store.endpoint()
  await store.emit('batch.completed', { url: 'https://once.example/x?y=1' })
  await store.emit('batch.failed')

  const told = await store.deliveries.list(store.accountId, {}, all)
  expect(told.map(({ endpointId, url }) => [endpointId, url])).toEqual(
    expect.arrayContaining([
      [endpoint.id, endpoint.url],
      [null, 'https://once.example/x?y=1'],
    ]),
  )
  expect(told).toHaveLength(2)
  expect(await store.events()).toHaveLength(1)
})

test('what is claimed is claimed once, and again when the claim has lapsed', async () => {
  await store.endpoint()
  await store.emit('batch.completed', { times: 2 })
  const outbox = store.outbox({ perTarget: 10 })

  const claims = await Promise.all([outbox.claim(10), store.outbox({ perTarget: 10 }).claim(10)])
  const claimed = claims.flat()
  expect(new Set(claimed).size).toBe(claimed.length)
  expect([...claimed, ...(await outbox.claim(10))]).toHaveLength(2)
  expect(await outbox.claim(10)).toEqual([])

  await sql`update store.webhook_delivery set next_at = clock_timestamp()`.execute(store.db)
  expect((await outbox.claim(10)).toSorted()).toEqual(claimed.toSorted())
})

test('of one target and of one account no more are under way than may be, so that others are not kept waiting', async () => {
  await store.endpoint()
  await store.emit('batch.completed', { times: 20 })
  await store.emit('batch.failed', { times: 20, url: 'https://once.example/x' })
  await store.endpoint({ accountId: store.otherId })
  await store.emit('batch.completed', { account: store.otherId })
  const outbox = store.outbox({ perTarget: 3, perAccount: 4 })

  const claimed = await outbox.claim(100)

  const mine = (await store.deliveries.list(store.accountId, {}, all)).map(({ id }) => id)
  expect(claimed.filter((id) => mine.includes(id))).toHaveLength(4)
  expect(claimed).toHaveLength(5)
  expect(await outbox.claim(100)).toEqual([])
})

test('more targets than are looked at in one go all get their turn', async () => {
  const accounts = Array.from({ length: 1_100 }, (_, i) => `00000000-0000-7000-8000-${String(i).padStart(12, '0')}`)
  await sql`select store.emit_events(${accounts}::uuid[], ${accounts.map(() => 'batch.failed')}::text[], ${accounts}::uuid[],
    ${accounts.map(() => 'https://once.example/')}::text[])`.execute(store.db)
  const outbox = store.outbox()

  const first = await outbox.claim(2_000)
  const second = await outbox.claim(2_000)

  expect(first).toHaveLength(1_000)
  expect(second).toHaveLength(100)
})

test('a delivery that begins brings its event, its address and what it is signed with', async () => {
  const { endpoint, secret } = await store.endpoint()
  await store.emit('batch.completed')
  const [event] = await store.events()
  const outbox = store.outbox()
  const [id] = await outbox.claim(1)

  const begun = await outbox.begin(id!)

  expect(begun).toMatchObject({
    id,
    event: { id: event, type: 'batch.completed' },
    url: endpoint.url,
    attempts: 0,
    tries: 0,
  })
  expect(begun!.event.subject).toMatch(/^batch_/)
  expect(begun!.secrets).toEqual([secret])
})

test('after a rotation both secrets sign for a day where that was wanted, else only the new one', async () => {
  const { endpoint, secret } = await store.endpoint()
  await store.emit('batch.completed')
  const outbox = store.outbox()
  const [id] = await outbox.claim(1)

  const kept = (await store.endpoints.rotate(store.accountId, endpoint.id, { keepOld: true }))!
  expect((await outbox.begin(id!))!.secrets).toEqual([kept.secret, secret])
  await sql`update store.webhook_endpoint set previous_until = clock_timestamp() - interval '1 s'`.execute(store.db)
  expect((await outbox.begin(id!))!.secrets).toEqual([kept.secret])

  const dropped = (await store.endpoints.rotate(store.accountId, endpoint.id, { keepOld: false }))!
  expect((await outbox.begin(id!))!.secrets).toEqual([dropped.secret])
})

test('what goes to the address of a request is signed with the account’s own secret, made with its first use', async () => {
  await store.emit('batch.failed', { url: 'https://once.example/' })
  const outbox = store.outbox()
  const [id] = await outbox.claim(1)

  const { secrets } = (await outbox.begin(id!))!

  expect(secrets).toEqual([(await store.secrets.show(store.accountId)).secret])
  const rotated = await store.secrets.rotate(store.accountId, { keepOld: true })
  expect((await outbox.begin(id!))!.secrets).toEqual([rotated.secret, secrets[0]])
  expect((await store.secrets.show(store.otherId)).secret).not.toBe(rotated.secret)
})

test('under another pepper nothing is signed', async () => {
  await store.endpoint()
  await store.emit('batch.completed')
  const [id] = await store.outbox().claim(1)

  expect((await store.outbox({ pepper: `${PEPPER}!` }).begin(id!))!.secrets).toEqual([])
})

test('a try is written down once, and its delivery waits for the next one', async () => {
  await store.endpoint()
  await store.emit('batch.completed')
  const outbox = store.outbox()
  const [id] = await outbox.claim(1)

  expect(await outbox.end(id!, 0, tried({ retryMs: 3_600_000 }))).toBe(true)
  expect(await outbox.end(id!, 0, tried({ verdict: 'delivered' }))).toBe(false)

  expect(await outbox.begin(id!)).toBeUndefined()
  expect(await outbox.claim(1)).toEqual([])
  expect(await store.deliveries.find(store.accountId, id!)).toMatchObject({ state: 'pending', attempts: 1 })
  expect(await store.deliveries.attemptsOf(id!)).toMatchObject([
    { number: 1, status: 500, failure: null, durationMs: 12 },
  ])
})

test('a target that fails again and again is tried with one delivery at a time, once it has rested', async () => {
  await store.endpoint()
  await store.emit('batch.completed', { times: 10 })
  const outbox = store.outbox({ perTarget: 4 })
  const claimed = await outbox.claim(10)
  expect(claimed).toHaveLength(4)

  for (const id of claimed.slice(0, 3)) await outbox.end(id, 0, tried({ restMs: 3_600_000, failure: 'timeout' }))
  await outbox.release(claimed[3]!)
  expect(await outbox.claim(10)).toEqual([])

  await sql`update store.webhook_failing set rest_until = clock_timestamp()`.execute(store.db)
  const [probe, ...others] = await outbox.claim(10)
  expect(others).toEqual([])
  const begun = (await outbox.begin(probe!))!
  expect(begun.failures).toBe(3)
  await outbox.end(probe!, begun.attempts, tried({ verdict: 'delivered' }))
  expect(await outbox.claim(10)).toHaveLength(4)
})

test('an endpoint that says it is gone is disabled, with all that waits for it', async () => {
  const { endpoint } = await store.endpoint()
  await store.emit('batch.completed', { times: 3 })
  const outbox = store.outbox({ perTarget: 1 })
  const [id] = await outbox.claim(1)

  await outbox.end(id!, 0, tried({ verdict: 'gone' }))

  expect(await store.endpoints.find(store.accountId, endpoint.id)).toMatchObject({ disabledFor: 'gone' })
  const states = (await store.deliveries.list(store.accountId, {}, all)).map(({ state }) => state)
  expect(states).toEqual(['failed', 'failed', 'failed'])
})

test('an endpoint that has only failed for too long is disabled, and enabled again begins without those failures', async () => {
  const { endpoint } = await store.endpoint()
  await store.emit('batch.completed', { times: 2 })
  const outbox = store.outbox({ patienceMs: 60_000 })
  const [first, second] = await outbox.claim(2)
  await outbox.end(first!, 0, tried())
  expect(await store.endpoints.find(store.accountId, endpoint.id)).toMatchObject({ disabledFor: null })

  await sql`update store.webhook_failing set since = clock_timestamp() - interval '2 min'`.execute(store.db)
  await outbox.end(second!, 0, tried())
  expect(await store.endpoints.find(store.accountId, endpoint.id)).toMatchObject({ disabledFor: 'failing' })

  await store.endpoints.update(store.accountId, endpoint.id, { enabled: true })
  await store.emit('batch.completed')
  const [third] = await outbox.claim(1)
  expect(await outbox.begin(third!)).toMatchObject({ failures: 0 })
})

test('what waits for an endpoint that was deleted meanwhile is not sent', async () => {
  const { endpoint } = await store.endpoint()
  await store.emit('batch.completed')
  const outbox = store.outbox()
  const [id] = await outbox.claim(1)
  await store.endpoints.remove(store.accountId, endpoint.id)

  expect(await outbox.begin(id!)).toBeUndefined()
  expect(await store.deliveries.find(store.accountId, id!)).toMatchObject({ state: 'failed', url: null })
  expect(await outbox.begin(newDeliveryId())).toBeUndefined()
})
