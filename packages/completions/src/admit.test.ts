import { countedInputBound } from '@weir/backends'
import { type ServiceError, newAccountId, newCompletionId, newKeyId } from '@weir/contracts'
import { OutcomeUnknown } from '@weir/ledger'
import { expect, test } from 'vitest'
import { admit } from './admit.ts'
import { handOver } from './hand-over.ts'
import { answering } from './testing/backend.ts'
import { askOf, requestOf, serviceFixture } from './testing/service.ts'

const refusalOf = (admitting: Promise<unknown>): Promise<ServiceError> =>
  admitting.then(
    () => Promise.reject(new Error('it was admitted')),
    (error: unknown) => error as ServiceError,
  )

test('an admitted completion has its reservation, its row and its place', async () => {
  await using service = await serviceFixture()

  const job = await service.admit()

  expect(await service.books()).toMatchObject({ charged: 0n })
  expect((await service.books()).reserved).toBeGreaterThan(200n)
  expect(await service.rowOf(job)).toEqual({ state: 'queued', error_code: null, charged: null })
  expect(await service.redis.zrange(service.places, '0', '-1')).toEqual([job.id])
})

test('a request that costs more than the account has is refused with all that its client must know', async () => {
  await using service = await serviceFixture()

  const request = requestOf({ maxOutputTokens: 1_000_000 })
  const needed = 2 + (await countedInputBound(request)) / 1_000_000

  const refusal = await refusalOf(service.admit(request))

  expect(refusal).toMatchObject({
    code: 'credit_balance_exhausted',
    extra: { balance: 0.01, available: 0.01, reserved: 0, needed, waiting_helps: false },
  })
  expect(refusal.message).toContain(`up to ${needed} credits and 0.01 are available (0 are reserved`)
})

test('a refused client is told when waiting for its running completions would help', async () => {
  await using service = await serviceFixture()
  const dear = requestOf({ maxOutputTokens: 4_000 })
  await service.admit(dear)
  const reserved = Number((await service.books()).reserved) / 1_000_000

  const refusal = await refusalOf(service.admit(dear))

  expect(refusal).toMatchObject({ extra: { balance: 0.01, reserved, waiting_helps: true } })
  expect(refusal.message).toContain('Wait for those to end')
})

test('a request that is refused for its cost leaves no place, no row and no reservation', async () => {
  await using service = await serviceFixture({ maxLivePerAccount: 1 })

  await refusalOf(service.admit(requestOf({ maxOutputTokens: 1_000_000 })))

  expect(await service.books()).toEqual({ charged: 0n, reserved: 0n })
  await service.admit()
})

test('an account that was never given credits is refused', async () => {
  await using service = await serviceFixture()

  const refusal = await refusalOf(service.admit(requestOf(), { accountId: newAccountId() }))

  expect(refusal).toMatchObject({ code: 'credit_balance_exhausted', extra: { balance: 0 } })
})

test('an account with too many completions is told to try again, and nothing is reserved', async () => {
  await using service = await serviceFixture({ maxLivePerAccount: 1 })
  await service.admit()
  const before = await service.books()

  const refusal = await refusalOf(service.admit())

  expect(refusal).toMatchObject({ code: 'rate_limit_exceeded', retryAfterMs: expect.any(Number) })
  expect(await service.books()).toEqual(before)
})

test('a service that has too much to do says so early, and nothing is reserved', async () => {
  await using service = await serviceFixture({ maxWaiting: 1 })
  await service.lane.enqueue(newCompletionId())

  const refusal = await refusalOf(service.admit())

  expect(refusal).toMatchObject({ code: 'overloaded', retryAfterMs: expect.any(Number) })
  expect(await service.books()).toEqual({ charged: 0n, reserved: 0n })
  expect(await service.redis.zcard(service.places)).toBe(0)
})

test('a completion that cannot be handed over is told to its client and costs nothing', async () => {
  await using service = await serviceFixture()
  const job = await service.admit()
  const away = new Error('Connection is closed.')
  const lane = { enqueue: () => Promise.reject(away) }

  await expect(handOver({ ...service, lane }, job, service.replies.channel)).rejects.toBe(away)

  expect(await service.books()).toEqual({ charged: 0n, reserved: 0n })
  expect(await service.rowOf(job)).toMatchObject({ state: 'failed', error_code: 'service_unavailable' })
  expect(await service.redis.zcard(service.places)).toBe(0)
})

test('a completion that was handed over in spite of an error is not run', async () => {
  await using service = await serviceFixture()
  const job = await service.admit()
  const enqueue = async () => {
    await service.lane.enqueue(job.id)
    throw new Error('Command timed out')
  }
  await expect(handOver({ ...service, lane: { enqueue } }, job, service.replies.channel)).rejects.toThrow(
    'Command timed out',
  )

  expect(await service.run(job, answering)).toEqual({ kind: 'done' })
  expect(await service.outcomeOf(job)).toMatchObject({ state: 'failed', cost: 0n })
})

test('a client of a kept completion is not invited to ask again while nobody knows whether it was committed', async () => {
  await using service = await serviceFixture()
  const admissions = { ...service.admissions, submit: () => Promise.reject(new OutcomeUnknown()) }
  const identity = { accountId: service.accountId, keyId: newKeyId() }
  const admitting = (given: object) => refusalOf(admit({ ...service, admissions }, identity, askOf(requestOf(), given)))

  expect(await admitting({ keepMs: 60_000 })).toMatchObject({
    code: 'wait_exceeded',
    extra: { completion_id: expect.any(String) },
  })
  // Nothing hands over what is not kept, and who has a key asks again with it.
  expect(await admitting({})).toMatchObject({ code: 'service_unavailable' })
  const idempotency = { key: 'once', digest: Buffer.alloc(32) }
  expect(await admitting({ keepMs: 60_000, idempotency })).toMatchObject({ code: 'service_unavailable' })
})

test('a client is not invited to ask again while nobody knows whether its completion has begun', async () => {
  await using service = await serviceFixture()
  const job = await service.admit()
  const away = () => Promise.reject(new Error('Connection is closed.'))
  const endings = { ...service.endings, submit: away }

  const handedOver = handOver({ ...service, endings, lane: { enqueue: away } }, job, service.replies.channel)

  await expect(handedOver).rejects.toMatchObject({ code: 'wait_exceeded', extra: { completion_id: job.id } })
})

test('a completion that has ended by the time its submission fails is followed to that end', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  await service.run(job, answering)
  const away = () => Promise.reject(new Error('Connection is closed.'))

  await handOver({ ...service, lane: { enqueue: away } }, job, service.replies.channel)

  expect(await service.charges()).toHaveLength(1)
})
