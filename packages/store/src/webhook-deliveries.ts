import {
  type AccountId,
  type BatchId,
  type CompletionId,
  type DeliveryId,
  type EndpointId,
  type EventId,
  batchIdOf,
  completionIdOf,
  deliveryIdOf,
  endpointIdOf,
  eventIdOf,
  uuidOf,
} from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import type { Page } from './accounts.ts'
import { BATCH, inBatches } from './in-batches.ts'

export type WebhookEvent = { id: EventId; type: string; subject: CompletionId | BatchId; createdAt: Date }

export type DeliveryState = 'pending' | 'delivered' | 'failed'

/** One event on its way to an endpoint, which may be gone, or to the address of a request. */
export type WebhookDelivery = {
  id: DeliveryId
  event: WebhookEvent
  endpointId: EndpointId | null
  /** Null where its endpoint is gone. */
  url: string | null
  state: DeliveryState
  attempts: number
  /** Null where none is to come. */
  nextAt: Date | null
  endedAt: Date | null
}

export type WebhookAttempt = {
  number: number
  at: Date
  status: number | null
  failure: string | null
  durationMs: number
}

export type DeliveryFilter = {
  endpointId?: EndpointId | undefined
  eventType?: string | undefined
  state?: DeliveryState | undefined
}

/** Those of an endpoint in a state, by the time of their events. */
export type Range = {
  endpointId: EndpointId
  since: Date
  until: Date
  state: DeliveryState
  after?: DeliveryId | undefined
  limit: number
}

/** `worn_out`: it was sent as often as it may be. */
export type Redelivery = 'begun' | 'not_found' | 'not_wanted' | 'worn_out'

/** Tries at one delivery that are made and remembered. */
const MOST_ATTEMPTS = 100

export type WebhookDeliveries = ReturnType<typeof createWebhookDeliveries>

/** What was sent to whom, as its owner sees it. What belongs to another account is not there. */
export function createWebhookDeliveries(db: Database) {
  return {
    /** Newest first. */
    async list(accountId: AccountId, filter: DeliveryFilter, { limit, after }: Page<DeliveryId>) {
      const { endpointId, eventType, state } = filter
      const conditions = [
        sql`d.account_id = ${uuidOf(accountId)}`,
        ...(endpointId ? [sql`d.endpoint_id = ${uuidOf(endpointId)}`] : []),
        ...(eventType ? [sql`v.type = ${eventType}`] : []),
        ...(state ? [sql`d.state = ${state}`] : []),
        ...(after ? [sql`d.id < ${uuidOf(after)}`] : []),
      ]
      const { rows } = await sql<Row>`
        ${selected} where ${sql.join(conditions, sql` and `)} order by d.id desc limit ${limit}`.execute(db)
      return rows.map(deliveryOf)
    },

    async find(accountId: AccountId, id: DeliveryId): Promise<WebhookDelivery | undefined> {
      const { rows } = await sql<Row>`
        ${selected} where d.id = ${uuidOf(id)} and d.account_id = ${uuidOf(accountId)}`.execute(db)
      return rows[0] && deliveryOf(rows[0])
    },

    /** Oldest first. */
    async attemptsOf(id: DeliveryId): Promise<WebhookAttempt[]> {
      const { rows } = await sql<AttemptRow>`
        select * from store.webhook_attempt where delivery_id = ${uuidOf(id)} order by number`.execute(db)
      return rows.map(attemptOf)
    },

    /** Sends it now, whether it waits for its next try or has ended; then its schedule begins again. */
    async redeliver(accountId: AccountId, id: DeliveryId): Promise<Redelivery> {
      const delivery = await this.find(accountId, id)
      if (!delivery) return 'not_found'
      if (delivery.attempts >= MOST_ATTEMPTS) return 'worn_out'
      if (delivery.endpointId && !(await isEnabled(db, delivery.endpointId))) return 'not_wanted'
      await sql`
        update store.webhook_delivery set ${afresh} where id = ${uuidOf(id)} and not claimed`.execute(db)
      return 'begun'
    },

    /** The same with many, a page at a time: returns those that were begun, in their order. */
    async redeliverRange(accountId: AccountId, { endpointId, since, until, state, after, limit }: Range) {
      const { rows } = await sql<{ id: string }>`
        update store.webhook_delivery set ${afresh}
        where id in (
          select id from store.webhook_delivery
          where account_id = ${uuidOf(accountId)} and endpoint_id = ${uuidOf(endpointId)} and state = ${state}
            and id >= store.uuid_at(${since}) and id < store.uuid_at(${until}) and attempts < ${MOST_ATTEMPTS} and not claimed
            ${after ? sql`and id > ${uuidOf(after)}` : sql``}
          order by id limit ${limit})
        returning id`.execute(db)
      return rows.map(({ id }) => deliveryIdOf(id)).sort()
    },

    /** Ends what waits to go to an endpoint that is deleted or disabled. */
    abandon: (endpointId: EndpointId): Promise<void> => abandonTarget(db, uuidOf(endpointId)),
  }
}

/** Ends all that waits to go to a target, as failed. */
export async function abandonTarget(db: Database, targetId: string): Promise<void> {
  await inBatches(undefined, () =>
    sql`
      update store.webhook_delivery set state = 'failed', claimed = false, ended_at = clock_timestamp()
      where id in (
        select id from store.webhook_delivery where state = 'pending' and target_id = ${targetId}
        limit ${BATCH} for no key update)`.execute(db),
  )
}

const afresh = sql`state = 'pending', tries = 0, next_at = clock_timestamp(), ended_at = null`

const selected = sql`
  select d.id, d.endpoint_id, coalesce(d.url, e.url) as url, d.state, d.attempts, d.next_at, d.ended_at,
    v.id as event_id, v.type, v.subject, v.created_at
  from store.webhook_delivery d join store.webhook_event v on v.id = d.event_id
  left join store.webhook_endpoint e on e.id = d.endpoint_id`

async function isEnabled(db: Database, id: EndpointId): Promise<boolean> {
  const { rows } = await sql`
    select from store.webhook_endpoint where id = ${uuidOf(id)} and disabled_for is null`.execute(db)
  return rows.length === 1
}

type EventRow = { event_id: string; type: string; subject: string; created_at: Date }
type AttemptRow = { number: number; at: Date; status: number | null; failure: string | null; duration_ms: number }
type Row = EventRow & {
  id: string
  endpoint_id: string | null
  url: string | null
  state: DeliveryState
  attempts: number
  next_at: Date
  ended_at: Date | null
}

const deliveryOf = (row: Row): WebhookDelivery => ({
  id: deliveryIdOf(row.id),
  event: eventOf(row),
  endpointId: row.endpoint_id === null ? null : endpointIdOf(row.endpoint_id),
  url: row.url,
  state: row.state,
  attempts: row.attempts,
  nextAt: row.state === 'pending' ? row.next_at : null,
  endedAt: row.ended_at,
})

/** The type says what it is about. */
export const eventOf = (row: EventRow): WebhookEvent => ({
  id: eventIdOf(row.event_id),
  type: row.type,
  subject: row.type.startsWith('batch.') ? batchIdOf(row.subject) : completionIdOf(row.subject),
  createdAt: row.created_at,
})

const attemptOf = ({ number, at, status, failure, duration_ms: durationMs }: AttemptRow): WebhookAttempt => ({
  number,
  at,
  status,
  failure,
  durationMs,
})
