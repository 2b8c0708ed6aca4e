import { type CompletionJob, type Outcome, uuidOf, newCompletionId } from '@weir/contracts'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Ask } from './admit.ts'
import { createEndings } from './commits.ts'
import { type ServiceFixture, requestOf, serviceFixture } from './testing/service.ts'
import { answering } from './testing/backend.ts'

let service: ServiceFixture

beforeAll(async () => {
  service = await serviceFixture({ maxLivePerAccount: 100 })
  await sql`insert into store.webhook_endpoint (id, account_id, name, url, event_types, secret, secret_hint)
    values (gen_random_uuid(), ${uuidOf(service.accountId)}, 'mine', 'https://hooks.example/',
      '{chat.completion.completed,chat.completion.expired}', '', '')`.execute(service.db)
})
afterAll(() => service?.[Symbol.asyncDispose]())

const background = { background: true, attended: false, keepMs: 60_000 }
const url = 'https://once.example/'

/** What is to be told of a completion, and where. */
async function toldOf({ id }: CompletionJob) {
  const { rows } = await sql<{ type: string; url: string | null }>`
    select e.type, d.url from store.webhook_event e join store.webhook_delivery d on d.event_id = e.id
    where e.subject = ${uuidOf(id)} order by d.url nulls first`.execute(service.db)
  return rows.map(({ type, url }) => [type, url])
}

test('the end of a background completion is an event, written with it', async () => {
  const job = await service.submitted(requestOf(), { ...background, webhookUrl: url })
  expect(await toldOf(job)).toEqual([])

  await service.run(job, answering)

  expect(await toldOf(job)).toEqual([
    ['chat.completion.completed', null],
    ['chat.completion.completed', url],
  ])
})

test('one that has an address is told of there, and at the endpoints, without being in the background', async () => {
  const job = await service.submitted(requestOf(), { keepMs: 60_000, webhookUrl: url })
  await service.run(job, answering)

  expect(await toldOf(job)).toHaveLength(2)
})

test.each([
  ['a plain one', {}],
  ['one that is stored', { keepMs: 60_000 }],
  ['a line of a batch', { ...background, ofBatch: { id: newCompletionId(), costLeft: undefined }, webhookUrl: url }],
] as [string, Partial<Ask>][])('of %s nobody is told', async (_what, given) => {
  const job = await service.submitted(requestOf(), given)
  await service.run(job, answering)

  expect(await service.rowOf(job)).toMatchObject({ state: 'completed' })
  expect(await toldOf(job)).toEqual([])
})

test('of a completion that several end at once only the first end is told, once', async () => {
  const limits = { maxBatch: 10, maxQueued: 100, timeoutMs: 10_000 }
  const several = Array.from({ length: 4 }, () => createEndings(service.db, limits))
  for (let round = 0; round < 10; round += 1) {
    const job = await service.admit(requestOf(), background)
    const { id, accountId } = job
    const expired: Outcome = { ...service.lost, state: 'expired' }

    const outcomes = [expired, { ...expired, state: 'cancelled' as const }]
    await Promise.all(several.map((endings, i) => endings.submit({ id, accountId, outcome: outcomes[i % 2]! })))
    await several[0]!.submit({ id, accountId, outcome: expired })

    const { state } = (await service.rowOf(job))!
    expect(await toldOf(job)).toEqual(state === 'expired' ? [['chat.completion.expired', null]] : [])
  }
  for (const endings of several) await endings[Symbol.asyncDispose]()
})
