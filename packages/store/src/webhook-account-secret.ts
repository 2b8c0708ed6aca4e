import { type AccountId, uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import { type SecretBox, createSecretBox, newSigningSecret, signingHintOf } from './webhook-secret.ts'
import { OVERLAP_MS, type SealedSecrets, secretsIn } from './webhook-signing.ts'

/** `secret` is undefined where it was sealed under another pepper: only a rotation helps then. */
export type AccountSecret = { secret: string | undefined; secretHint: string; createdAt: Date; updatedAt: Date }

export type WebhookSecrets = ReturnType<typeof createWebhookSecrets>

/** The secret that signs what is sent to the `webhook_url` of a request. Every account has one as soon as it is needed. */
export function createWebhookSecrets(db: Database, pepper: string) {
  const box = createSecretBox(pepper)

  return {
    async show(accountId: AccountId): Promise<AccountSecret> {
      return accountSecretOf(box, accountId, await secretRow(db, box, accountId))
    },

    async rotate(accountId: AccountId, { keepOld }: { keepOld: boolean }): Promise<AccountSecret> {
      await secretRow(db, box, accountId)
      const secret = newSigningSecret()
      const { rows } = await sql<Row>`
        update store.webhook_secret
        set secret = ${box.seal(secret, uuidOf(accountId))}, secret_hint = ${signingHintOf(secret)},
          previous_secret = case when ${keepOld}::boolean then secret end,
          previous_until = case when ${keepOld}::boolean then clock_timestamp() + ${OVERLAP_MS}::float8 * interval '1 ms' end,
          updated_at = clock_timestamp()
        where account_id = ${uuidOf(accountId)}
        returning *`.execute(db)
      return accountSecretOf(box, accountId, rows[0]!)
    },
  }
}

type Row = SealedSecrets & { secret_hint: string; created_at: Date; updated_at: Date }

/** The account's row, made with its first use; of two who make it at once, the first one's stands. */
export async function secretRow(db: Database, box: SecretBox, accountId: AccountId): Promise<Row> {
  const secret = newSigningSecret()
  await sql`
    insert into store.webhook_secret (account_id, secret, secret_hint)
    values (${uuidOf(accountId)}, ${box.seal(secret, uuidOf(accountId))}, ${signingHintOf(secret)})
    on conflict do nothing`.execute(db)
  const { rows } = await sql<Row>`select * from store.webhook_secret where account_id = ${uuidOf(accountId)}`.execute(
    db,
  )
  return rows[0]!
}

const accountSecretOf = (box: SecretBox, accountId: AccountId, row: Row): AccountSecret => ({
  secret: secretsIn(box, accountId, { ...row, previous_until: null })[0],
  secretHint: row.secret_hint,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})
