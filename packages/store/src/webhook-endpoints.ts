import { type AccountId, type EndpointId, endpointIdOf, newEndpointId, uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import type { Page } from './accounts.ts'
import { createSecretBox, newSigningSecret, signingHintOf } from './webhook-secret.ts'
import { OVERLAP_MS, type SealedSecrets, secretsIn } from './webhook-signing.ts'

/** Why nothing is sent to an endpoint: its owner wanted it, it said that it is gone, or it has failed for days. */
export type DisabledFor = 'owner' | 'gone' | 'failing'

export type WebhookEndpoint = {
  id: EndpointId
  name: string
  url: string
  eventTypes: string[]
  /** The last characters of its secret. */
  secretHint: string
  disabledFor: DisabledFor | null
  createdAt: Date
  updatedAt: Date
}

export type EndpointChanges = {
  name?: string | undefined
  url?: string | undefined
  eventTypes?: string[] | undefined
  enabled?: boolean | undefined
}

export type WebhookEndpoints = ReturnType<typeof createWebhookEndpoints>

/** The places that accounts want their events sent to. What belongs to another account is not there. */
export function createWebhookEndpoints(db: Database, { pepper, most }: { pepper: string; most: number }) {
  const box = createSecretBox(pepper)

  return {
    /** The secret is returned here and after a rotation, and nowhere else. Undefined where the account has as many as it may. */
    async create(accountId: AccountId, { name, url, eventTypes }: { name: string; url: string; eventTypes: string[] }) {
      const id = newEndpointId()
      const secret = newSigningSecret()
      return db.transaction().execute(async (tx) => {
        // Those of one account queue up here, so that two at once do not both take the last place.
        await sql`select from store.account where id = ${uuidOf(accountId)} for no key update`.execute(tx)
        const { rows } = await sql<Row>`
          insert into store.webhook_endpoint (id, account_id, name, url, event_types, secret, secret_hint)
          select ${uuidOf(id)}, ${uuidOf(accountId)}, ${name}, ${url}, ${eventTypes}::text[],
            ${box.seal(secret, uuidOf(id))}, ${signingHintOf(secret)}
          where (select count(*) from store.webhook_endpoint where account_id = ${uuidOf(accountId)}) < ${most}
          returning ${columns}`.execute(tx)
        return rows[0] && { endpoint: endpointOf(rows[0]), secret }
      })
    },

    /** Newest first. */
    async list(accountId: AccountId, { limit, after }: Page<EndpointId>): Promise<WebhookEndpoint[]> {
      const { rows } = await sql<Row>`
        select ${columns} from store.webhook_endpoint
        where account_id = ${uuidOf(accountId)} ${after ? sql`and id < ${uuidOf(after)}` : sql``}
        order by id desc limit ${limit}`.execute(db)
      return rows.map(endpointOf)
    },

    async find(accountId: AccountId, id: EndpointId): Promise<WebhookEndpoint | undefined> {
      const { rows } = await sql<Row>`
        select ${columns} from store.webhook_endpoint
        where id = ${uuidOf(id)} and account_id = ${uuidOf(accountId)}`.execute(db)
      return rows[0] && endpointOf(rows[0])
    },

    /** What it is to be told with; the current secret first. */
    async secretsOf(accountId: AccountId, id: EndpointId): Promise<string[]> {
      const { rows } = await sql<SealedSecrets>`
        select secret, previous_secret, previous_until from store.webhook_endpoint
        where id = ${uuidOf(id)} and account_id = ${uuidOf(accountId)}`.execute(db)
      return rows.flatMap((row) => secretsIn(box, id, row))
    },

    /** A new address, or an endpoint that is enabled again, begins without the failures of before. */
    async update(accountId: AccountId, id: EndpointId, changes: EndpointChanges): Promise<WebhookEndpoint | undefined> {
      const { name = null, url = null, eventTypes = null, enabled = null } = changes
      const { rows } = await sql<Row>`
        with changed as (
          select e.id, coalesce(${name}::text, e.name) as name, coalesce(${url}::text, e.url) as url,
            coalesce(${eventTypes}::text[], e.event_types) as event_types,
            case when ${enabled}::boolean then null when not ${enabled}::boolean then 'owner' else e.disabled_for end as disabled_for
          from store.webhook_endpoint e where e.id = ${uuidOf(id)} and e.account_id = ${uuidOf(accountId)} for update
        ), forgiven as (
          delete from store.webhook_failing f using store.webhook_endpoint e, changed c
          where e.id = c.id and f.target_id = c.id and (e.url <> c.url or (${enabled}::boolean and e.disabled_for is not null))
        )
        update store.webhook_endpoint e
        set name = c.name, url = c.url, event_types = c.event_types, disabled_for = c.disabled_for,
          updated_at = case when (e.name, e.url, e.event_types, e.disabled_for)
            is distinct from (c.name, c.url, c.event_types, c.disabled_for) then clock_timestamp() else e.updated_at end
        from changed c where e.id = c.id
        returning ${sql.raw(names.map((name) => `e.${name}`).join(', '))}`.execute(db)
      return rows[0] && endpointOf(rows[0])
    },

    /** From now on what is sent is signed with a new secret and, for a day, where that is wanted, with the old one too. */
    async rotate(accountId: AccountId, id: EndpointId, { keepOld }: { keepOld: boolean }) {
      const secret = newSigningSecret()
      const { rows } = await sql<Row>`
        update store.webhook_endpoint
        set secret = ${box.seal(secret, uuidOf(id))}, secret_hint = ${signingHintOf(secret)},
          previous_secret = case when ${keepOld}::boolean then secret end,
          previous_until = case when ${keepOld}::boolean then clock_timestamp() + ${OVERLAP_MS}::float8 * interval '1 ms' end,
          updated_at = clock_timestamp()
        where id = ${uuidOf(id)} and account_id = ${uuidOf(accountId)}
        returning ${columns}`.execute(db)
      return rows[0] && { endpoint: endpointOf(rows[0]), secret }
    },

    /** False when there is no such endpoint, or no more. */
    async remove(accountId: AccountId, id: EndpointId): Promise<boolean> {
      const { numAffectedRows } = await sql`
        delete from store.webhook_endpoint
        where id = ${uuidOf(id)} and account_id = ${uuidOf(accountId)}`.execute(db)
      return numAffectedRows === 1n
    },
  }
}

const names = ['id', 'name', 'url', 'event_types', 'secret_hint', 'disabled_for', 'created_at', 'updated_at']
const columns = sql.raw(names.join(', '))

type Row = {
  id: string
  name: string
  url: string
  event_types: string[]
  secret_hint: string
  disabled_for: DisabledFor | null
  created_at: Date
  updated_at: Date
}

const endpointOf = (row: Row): WebhookEndpoint => ({
  id: endpointIdOf(row.id),
  name: row.name,
  url: row.url,
  eventTypes: row.event_types,
  secretHint: row.secret_hint,
  disabledFor: row.disabled_for,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})
