import { type AccountId, type EventId, eventIdOf, newAccountId, newCompletionId, uuidOf } from '@weir/contracts'
import { openTestDatabase } from '@weir/local/testing'
import { openDatabase } from '@weir/runtime'
import { sql } from 'kysely'
import { createWebhookSecrets } from '../webhook-account-secret.ts'
import { createWebhookDeliveries } from '../webhook-deliveries.ts'
import { createWebhookEndpoints } from '../webhook-endpoints.ts'
import { type OutboxOptions, type TriedDelivery, createWebhookOutbox } from '../webhook-outbox.ts'

export const PEPPER = 'the pepper of these tests'
const HOUR_MS = 3_600_000

/** How a try went, unless a test says otherwise: its receiver could not be reached, and is tried again at once. */
export const tried = (more: Partial<TriedDelivery> = {}): TriedDelivery => ({
  beganAt: new Date(),
  durationMs: 12.4,
  ...(more.failure === undefined && { status: 500 }),
  verdict: 'retry',
  retryMs: 0,
  restMs: 0,
  ...more,
})

/** Two accounts and what they are told, in a database of their own. */
export async function openWebhooksFixture() {
  await using resources = new AsyncDisposableStack()
  const { url } = resources.use(await openTestDatabase())
  const db = resources.use(openDatabase(url, { max: 8, timeoutMs: 60_000, onError: () => {} }))
  const [accountId, otherId] = [newAccountId(), newAccountId()]
  for (const id of [accountId, otherId])
    await sql`insert into store.account (id, name) values (${uuidOf(id)}, 'test')`.execute(db)
  const endpoints = createWebhookEndpoints(db, { pepper: PEPPER, most: 5 })

  const opened = resources.move()
  return {
    db,
    accountId,
    otherId,
    endpoints,
    deliveries: createWebhookDeliveries(db),
    secrets: createWebhookSecrets(db, PEPPER),
    outbox: (options: Partial<OutboxOptions> = {}) =>
      createWebhookOutbox(db, {
        pepper: PEPPER,
        perTarget: 2,
        perAccount: 100,
        failuresBeforeRest: 3,
        leaseMs: HOUR_MS,
        patienceMs: HOUR_MS,
        ...options,
      }),
    async endpoint(given: { eventTypes?: string[]; accountId?: AccountId } = {}) {
      const { eventTypes = ['batch.completed'], accountId: owner = accountId } = given
      return (await endpoints.create(owner, { name: 'mine', url: 'https://hooks.example/a', eventTypes }))!
    },
    /** As a statement that makes it so tells it; each about another completion. */
    async emit(type: string, { times = 1, url = null as string | null, account = accountId } = {}) {
      const each = <T>(value: T): T[] => Array.from({ length: times }, () => value)
      const subjects = each(null).map(newCompletionId)
      await sql`select store.emit_events(${each(uuidOf(account))}::uuid[], ${each(type)}::text[],
        ${subjects.map(uuidOf)}::uuid[], ${each(url)}::text[])`.execute(db)
      return subjects
    },
    async events(): Promise<EventId[]> {
      const { rows } = await sql<{ id: string }>`select id from store.webhook_event order by id`.execute(db)
      return rows.map(({ id }) => eventIdOf(id))
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

export type WebhooksFixture = Awaited<ReturnType<typeof openWebhooksFixture>>
