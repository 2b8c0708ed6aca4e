import { createHash } from 'node:crypto'
import { type AccountId, type CompletionId, newAccountId, newCompletionId, newKeyId, uuidOf } from '@weir/contracts'
import { createIdempotencyKeys } from '@weir/store'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import type { Admission, IdempotencyKey } from './commits.ts'
import { settleDecided } from './finish.ts'
import { abandonedOutcome, expiredOutcome, interruptedOutcome } from './outcomes.ts'
import { answering } from './testing/backend.ts'
import { type ServiceFixture, requestOf, serviceFixture } from './testing/service.ts'

const DAY_MS = 86_400_000

const keyed = (key: string, asked = 'this'): { idempotency: IdempotencyKey } => ({
  idempotency: { key, digest: createHash('sha256').update(asked).digest() },
})

const holderOf = ({ db, accountId }: ServiceFixture, key: string, asked = 'this') =>
  createIdempotencyKeys(db, { ttlMs: DAY_MS }).holderOf(accountId, keyed(key, asked).idempotency)

/** What one commit is asked to let in. */
async function admissionOf(
  { accountId: ours, prices }: ServiceFixture,
  given: Partial<Admission> & { accountId?: AccountId } = {},
): Promise<Admission> {
  return {
    id: newCompletionId(),
    accountId: ours,
    keyId: newKeyId(),
    model: 'fast',
    stream: false,
    background: false,
    metadata: undefined,
    deadlineAt: Date.now() + 60_000,
    quote: 10n,
    least: 10n,
    priceId: prices.priceOf('fast').id,
    kept: undefined,
    idempotency: undefined,
    ...given,
  }
}

/** Asks for all of them in one commit: it gathers them while another one is under way. */
async function inOneCommit(service: ServiceFixture, admissions: Admission[]) {
  const [, ...verdicts] = await Promise.all(
    [await admissionOf(service), ...admissions].map((each) => service.admissions.submit(each)),
  )
  return verdicts
}

test('a key stands for the completion that its first request has made', async () => {
  await using service = await serviceFixture()
  const { id } = await service.admit(requestOf(), keyed('mine'))

  expect(await service.admitted(requestOf(), keyed('mine'))).toEqual({ kind: 'held', by: id })
  expect(await holderOf(service, 'mine')).toEqual({ by: id, isSame: true })
  expect(await service.admitted(requestOf(), keyed('yours'))).toMatchObject({ kind: 'admitted' })
})

test('a key is refused for another request, which reserves nothing and takes no place', async () => {
  await using service = await serviceFixture()
  const { id } = await service.admit(requestOf(), keyed('mine'))
  const { reserved } = await service.books()

  await expect(service.admitted(requestOf(), keyed('mine', 'that'))).rejects.toMatchObject({
    code: 'idempotency_key_reused',
    param: 'Idempotency-Key',
  })

  expect(await holderOf(service, 'mine', 'that')).toEqual({ by: id, isSame: false })
  expect(await service.books()).toEqual({ charged: 0n, reserved })
  await expect.poll(() => service.redis.zrange(service.places, '0', '-1')).toEqual([id])
})

test('many first uses of a key at the same time make one completion', async () => {
  await using service = await serviceFixture({ maxLivePerAccount: 50 })

  const admitted = await Promise.all(Array.from({ length: 20 }, () => service.admitted(requestOf(), keyed('mine'))))

  const made = admitted.flatMap((each) => (each.kind === 'admitted' ? [each.job.id] : []))
  expect(made).toHaveLength(1)
  expect(admitted.filter((each) => each.kind === 'held')).toEqual(
    Array.from({ length: 19 }, () => ({ kind: 'held', by: made[0] })),
  )
  await expect.poll(() => service.redis.zrange(service.places, '0', '-1')).toEqual(made)
})

test('each request of one commit gets its own verdict, whether it has a key or not', async () => {
  await using service = await serviceFixture()
  const [free, first, second] = [
    await admissionOf(service),
    await admissionOf(service, keyed('mine')),
    await admissionOf(service, keyed('yours')),
  ]
  const [again, other] = [await admissionOf(service, keyed('mine')), await admissionOf(service, keyed('yours', 'that'))]

  const verdicts = await inOneCommit(service, [free, first, second, again, other])

  expect(verdicts).toEqual([
    expect.objectContaining({ kind: 'reserved' }),
    expect.objectContaining({ kind: 'reserved' }),
    expect.objectContaining({ kind: 'reserved' }),
    { kind: 'held', by: first.id, isSame: true },
    { kind: 'held', by: second.id, isSame: false },
  ])
  expect((await service.books()).reserved).toBe(40n)
  expect(await rowsOf(service, [again.id, other.id])).toBe(0)
})

test('the same key of two accounts stands for two completions', async () => {
  await using service = await serviceFixture()
  const [first, second] = [await admissionOf(service, keyed('mine')), await admissionOf(service, keyed('mine'))]
  const stranger = { ...second, accountId: newAccountId() }

  const verdicts = await inOneCommit(service, [first, stranger])

  // The stranger has no credits; but nobody holds its key.
  expect(verdicts.map(({ kind }) => kind)).toEqual(['reserved', 'insufficient_credits'])
})

test('a key whose request cannot be paid is not held, even for those who ask at the same time', async () => {
  await using service = await serviceFixture()
  const dear = { quote: 1_000_000n, least: 1_000_000n, ...keyed('mine') }
  const asked = [await admissionOf(service, dear), await admissionOf(service, dear)]

  const verdicts = await inOneCommit(service, asked)

  expect(verdicts.map(({ kind }) => kind)).toEqual(['insufficient_credits', 'insufficient_credits'])
  expect(await holderOf(service, 'mine')).toBeUndefined()
  expect(await service.admitted(requestOf(), keyed('mine'))).toMatchObject({ kind: 'admitted' })
})

test.each([
  ['failed', interruptedOutcome()],
  ['was cancelled', abandonedOutcome()],
  ['expired', expiredOutcome()],
])('a key whose completion %s for free may be used again, even for another request', async (_, outcome) => {
  await using service = await serviceFixture()
  const first = await service.submitted(requestOf(), keyed('mine'))
  await settleDecided(service, first, outcome)

  expect(await holderOf(service, 'mine')).toBeUndefined()
  const second = await service.admit(requestOf(), keyed('mine', 'that'))

  expect(second.id).not.toBe(first.id)
  expect(await holderOf(service, 'mine', 'that')).toEqual({ by: second.id, isSame: true })
})

test('a key whose completion has completed, or was cancelled and charged, is held', async () => {
  await using service = await serviceFixture()
  const completed = await service.submitted(requestOf(), keyed('completed'))
  await service.run(completed, answering)
  const cancelled = await service.submitted(requestOf(), keyed('cancelled'))
  await settleDecided(service, cancelled, { ...abandonedOutcome(), cost: 7n })

  expect(await service.admitted(requestOf(), keyed('completed'))).toEqual({ kind: 'held', by: completed.id })
  expect(await service.admitted(requestOf(), keyed('cancelled'))).toEqual({ kind: 'held', by: cancelled.id })
})

test('a key is free again once it has lapsed', async () => {
  await using service = await serviceFixture()
  const first = await service.admit(requestOf(), keyed('mine'))
  await sql`update store.idempotency_key set created_at = created_at - interval '25 hours'`.execute(service.db)

  expect(await holderOf(service, 'mine')).toBeUndefined()
  const second = await service.admit(requestOf(), keyed('mine', 'that'))

  expect(second.id).not.toBe(first.id)
  expect(await holderOf(service, 'mine', 'that')).toEqual({ by: second.id, isSame: true })
})

async function rowsOf({ db }: ServiceFixture, ids: CompletionId[]): Promise<number> {
  const { rows } = await sql`
    select from store.completion where id = any(${ids.map(uuidOf)}::uuid[])`.execute(db)
  return rows.length
}
