import { type AccountId, type DeliveryId, accountIdOf, deliveryIdOf, endpointIdOf, uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import { secretRow } from './webhook-account-secret.ts'
import { type WebhookEvent, abandonTarget, eventOf } from './webhook-deliveries.ts'
import { createSecretBox } from './webhook-secret.ts'
import { type SealedSecrets, secretsIn } from './webhook-signing.ts'

/** A delivery that is to be tried now. */
export type BegunDelivery = {
  id: DeliveryId
  event: WebhookEvent
  url: string
  /** What it is signed with; none where they cannot be read. */
  secrets: string[]
  /** All tries before this one, and those since it was last told to begin. */
  attempts: number
  tries: number
  /** How often in a row its target has failed. */
  failures: number
}

/** How a try went: what was answered, or why nothing was; and what is to become of the delivery. */
export type TriedDelivery = {
  beganAt: Date
  durationMs: number
  status?: number
  failure?: string
  verdict: 'delivered' | 'retry' | 'failed' | 'gone'
  /** From now to the next try. */
  retryMs?: number | undefined
  /** How long its target is left alone. */
  restMs: number
}

export type OutboxOptions = {
  pepper: string
  /** How many deliveries to one target, and of one account, may be under way. */
  perTarget: number
  perAccount: number
  /** A target that has failed so often is tried with one delivery at a time. */
  failuresBeforeRest: number
  /** A claim lapses after so long. */
  leaseMs: number
  /** A target that has only failed for so long is given up. */
  patienceMs: number
}

export type WebhookOutbox = ReturnType<typeof createWebhookOutbox>

/** What is to be sent, as those who send it see it. */
export function createWebhookOutbox(db: Database, options: OutboxOptions) {
  const box = createSecretBox(options.pepper)
  let lookedUntil: string | null = null

  return {
    /** Claims due deliveries, each target and account in turn; nobody else claims them before `leaseMs` are over. */
    async claim(most: number): Promise<DeliveryId[]> {
      const { perTarget, perAccount, failuresBeforeRest, leaseMs } = options
      const { rows } = await sql<{ ids: string[]; looked_until: string | null }>`
        select * from store.claim_deliveries(${lookedUntil}::uuid, ${perTarget}, ${perAccount}, ${most},
          ${failuresBeforeRest}, ${leaseMs})`.execute(db)
      lookedUntil = rows[0]!.looked_until
      return rows[0]!.ids.map(deliveryIdOf)
    },

    /** Renews the claim. Undefined where there is nothing to do: it has ended, or waits for its next try, or nobody wants it. */
    async begin(id: DeliveryId): Promise<BegunDelivery | undefined> {
      const { rows } = await sql<BegunRow>`
        with begun as (
          update store.webhook_delivery
          set next_at = clock_timestamp() + ${options.leaseMs}::float8 * interval '1 ms'
          where id = ${uuidOf(id)} and state = 'pending' and claimed
          returning *
        )
        select d.id, d.account_id, d.endpoint_id, d.attempts, d.tries, d.target_id,
          v.id as event_id, v.type, v.subject, v.created_at, coalesce(d.url, e.url) as url,
          e.secret, e.previous_secret, e.previous_until, e.disabled_for, coalesce(f.failures, 0) as failures
        from begun d join store.webhook_event v on v.id = d.event_id
        left join store.webhook_endpoint e on e.id = d.endpoint_id
        left join store.webhook_failing f on f.target_id = d.target_id`.execute(db)
      const row = rows[0]
      if (!row) return undefined
      const { url } = row
      if (url === null || row.disabled_for !== null) {
        await abandonTarget(db, row.target_id)
        return undefined
      }
      const { attempts, tries, failures } = row
      return { id, event: eventOf(row), url, secrets: await secretsFor(row), attempts, tries, failures }
    },

    /** False where another one who had claimed it was faster: nothing is written then. */
    async end(id: DeliveryId, attempts: number, tried: TriedDelivery): Promise<boolean> {
      const { beganAt, durationMs, status = null, failure = null, verdict, retryMs = null, restMs } = tried
      const { rows } = await sql<{ ended: boolean; abandoned: string | null }>`
        select * from store.end_webhook_attempt(${uuidOf(id)}, ${attempts}, ${beganAt}, ${status}, ${failure},
          ${Math.round(durationMs)}, ${verdict}, ${retryMs === null ? null : Math.round(retryMs)}, ${Math.round(restMs)},
          ${options.patienceMs})`.execute(db)
      const { ended, abandoned } = rows[0]!
      if (abandoned) await abandonTarget(db, abandoned)
      return ended
    },

    /** Lets others have it at once. */
    async release(id: DeliveryId): Promise<void> {
      await sql`
        update store.webhook_delivery set claimed = false, next_at = clock_timestamp()
        where id = ${uuidOf(id)} and state = 'pending' and claimed`.execute(db)
    },
  }

  async function secretsFor(row: BegunRow): Promise<string[]> {
    const { endpoint_id: endpoint, secret } = row
    if (endpoint && secret) return secretsIn(box, endpointIdOf(endpoint), { ...row, secret })
    const accountId: AccountId = accountIdOf(row.account_id)
    return secretsIn(box, accountId, await secretRow(db, box, accountId))
  }
}

type BegunRow = Omit<SealedSecrets, 'secret'> & {
  id: string
  account_id: string
  endpoint_id: string | null
  target_id: string
  attempts: number
  tries: number
  event_id: string
  type: string
  subject: string
  created_at: Date
  url: string | null
  secret: Buffer | null
  disabled_for: string | null
  failures: number
}
