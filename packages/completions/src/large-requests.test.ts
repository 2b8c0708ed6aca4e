import { type CompletionId, type CompletionRequest, ServiceError } from '@weir/contracts'
import { createLedger } from '@weir/ledger'
import { designedError } from '@weir/runtime'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { cancel } from './cancel.ts'
import { createReconciler } from './reconcile.ts'
import { submit } from './hand-over.ts'
import { type Play, answering, playing, unasked } from './testing/backend.ts'
import { type ServiceFixture, requestOf, serviceFixture } from './testing/service.ts'

const IMAGE_BYTES = 5 * 1_048_576
const image = Buffer.alloc(IMAGE_BYTES, 'image').toString('base64')
const asked: CompletionRequest = requestOf({
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'What is this?' },
        { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: image } },
      ],
    },
  ],
})
/** An image is dear to the fixture's account. */
async function richService(): Promise<ServiceFixture> {
  const service = await serviceFixture()
  const { accountId } = service
  await createLedger(service.db).amend([
    { op: 'grant', accountId, kind: 'purchased', amount: 1_000_000n, actor: 'test' },
  ])
  return service
}

/** Notes what the backend is asked. */
function noting(play: Play) {
  const requests: CompletionRequest[] = []
  const noted: Play = (request, target, signal) => {
    requests.push(request)
    return play(request, target, signal)
  }
  return { requests, play: noted }
}

const keptRows = async ({ db }: ServiceFixture): Promise<number> =>
  (await sql`select from store.kept_completion`.execute(db)).rows.length

/** What all that the service holds in Redis takes there, in bytes. */
async function memoryOf(service: ServiceFixture): Promise<number> {
  const keys = await keysOf(service)
  expect(keys.length).toBeGreaterThan(0)
  const sizes = keys.map((key) => service.redis.call('MEMORY', 'USAGE', key, 'SAMPLES', '0'))
  return (await Promise.all(sizes)).reduce<number>((sum, size) => sum + Number(size), 0)
}

const keysOf = ({ redis, stateOf }: ServiceFixture): Promise<string[]> =>
  redis.keys(`${stateOf('' as CompletionId).split(':')[0]}*`)

async function loseRedis(service: ServiceFixture): Promise<void> {
  await service.redis.unlink(...(await keysOf(service)))
}

test('a request with a large image takes little of Redis, and its backend is asked all of it', async () => {
  await using service = await richService()
  const job = await service.submitted(asked)
  const backend = noting(answering)

  expect(await memoryOf(service)).toBeLessThan(20_000)
  await service.run(job, backend.play)

  expect(backend.requests).toEqual([asked])
  expect(await service.outcomeOf(job)).toMatchObject({ state: 'completed' })
  expect(await memoryOf(service)).toBeLessThan(20_000)
})

test('a large request that is not to be kept goes with its end', async () => {
  await using service = await richService()
  const job = await service.submitted(asked)
  expect(await keptRows(service)).toBe(1)

  await service.run(job, answering)

  expect(await keptRows(service)).toBe(0)
})

test('a large request that is cancelled before it ran is forgotten as well', async () => {
  await using service = await richService()
  const job = await service.submitted(asked)

  expect(await cancel(service, job.id)).toBe('decided')

  expect(await keptRows(service)).toBe(0)
})

test('a large request whose result is to be kept leaves the result', async () => {
  await using service = await richService()
  const job = await service.submitted(asked, { keepMs: 60_000 })

  await service.run(job, answering)

  const outcome = await service.keptCompletions.outcomeOf(service.accountId, job.id)
  expect(outcome).toContain('Water is lazy.')
  expect(await service.keptCompletions.largeJobOf(job.id)).toBeUndefined()
})

test('a small request leaves nothing in Postgres but its row', async () => {
  await using service = await richService()
  await service.submitted(requestOf())

  expect(await keptRows(service)).toBe(0)
})

test('a large request that Redis loses is handed over again by the replica that waits for it', async () => {
  await using service = await richService()
  const job = await service.submitted(asked)
  await loseRedis(service)
  const backend = noting(answering)

  await submit(service, job, { replyTo: service.replies.channel, again: true })
  await service.run(job, backend.play)

  expect(backend.requests).toEqual([asked])
})

test.each([
  ['one that is not kept is given up', undefined, []],
  ['one that is kept is handed over', 60_000, ['handed_over']],
])('of large requests that nobody waits for, Redis having lost them, %s', async (_, keepMs, found) => {
  await using service = await richService()
  const job = await service.submitted(asked, { keepMs })
  await loseRedis(service)
  const mended: string[] = []
  const reconcile = createReconciler({
    ...service,
    afterMs: 0,
    lostAfterMs: 60_000,
    keepAlive: async () => {},
    aliveEveryMs: 60_000,
    onFound: (what) => mended.push(what),
  })

  await reconcile(new AbortController().signal)

  expect(mended).toEqual(found)
  if (keepMs !== undefined) {
    const backend = noting(answering)
    await service.run(job, backend.play)
    expect(backend.requests).toEqual([asked])
  }
})

test('a worker that finds a large request ended, which Redis was not told, ends it there too', async () => {
  await using service = await richService()
  const job = await service.submitted(asked)
  await service.endings.submit({
    id: job.id,
    accountId: job.accountId,
    outcome: service.lost,
    isKept: false,
    isLarge: true,
  })

  expect(await service.run(job, unasked)).toEqual({ kind: 'done' })

  expect(await service.outcomeOf(job)).toMatchObject({ state: 'failed', cost: 0n })
})

test('a large request whose attempt failed is read again by the next', async () => {
  await using service = await richService()
  const job = await service.submitted(asked)
  const second = noting(answering)

  const overloaded = new ServiceError('backend_overloaded', 'Busy.', { retryAfterMs: 1 })
  expect(await service.run(job, playing(overloaded))).toMatchObject({ kind: 'retry' })
  await service.run(job, second.play)

  expect(second.requests).toEqual([asked])
})

test('a large request that Postgres does not take is not accepted, and its credits come back', async () => {
  await using service = await richService()
  await sql`alter table store.kept_completion add constraint small check (length(job) < 1000)`.execute(service.db)

  await expect(service.admit(asked)).rejects.toThrow('small')

  await expect.poll(async () => (await service.books()).reserved, { timeout: 30_000 }).toBe(0n)
  expect(await keptRows(service)).toBe(0)
})

test('who has sent a key with a large request that Postgres is too full for is invited to ask again, and then let in', async () => {
  await using service = await richService()
  await sql`create function refuse() returns trigger language plpgsql as $$
    begin raise exception 'the disk is full' using errcode = 'disk_full'; end $$`.execute(service.db)
  await sql`create trigger no_room before insert on store.kept_completion execute function refuse()`.execute(service.db)
  const keyed = { keepMs: 60_000, idempotency: { key: 'once', digest: Buffer.alloc(32) } }
  const refusal = (given: object) => service.admit(asked, given).catch((error: unknown) => designedError(error))

  expect(await refusal({ keepMs: 60_000 })).toMatchObject({ code: 'wait_exceeded' })
  expect(await refusal(keyed)).toMatchObject({ code: 'service_unavailable', retryAfterMs: 1_000 })

  await sql`drop trigger no_room on store.kept_completion`.execute(service.db)
  const admitted = () => service.admitted(asked, keyed)
  await expect.poll(admitted, { timeout: 30_000, interval: 250 }).toMatchObject({ kind: 'admitted' })
})

test('the output cap that a large request was clamped to stands when its worker reads it', async () => {
  await using service = await richService()
  const job = await service.submitted({ ...asked, maxOutputTokens: 50 }, { keepMs: 60_000 })
  const backend = noting(answering)
  const clamped = { ...job, request: { ...job.request, maxOutputTokens: 7 } }
  await service.relay.discard(job.id)
  await submit(service, clamped, { replyTo: undefined, again: true })

  await service.run(job, backend.play)

  expect(backend.requests).toMatchObject([{ maxOutputTokens: 7, messages: asked.messages }])
})
