import { type AccountId, type CompletionId, uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'

export type KeptCompletions = ReturnType<typeof createKeptCompletions>

/** Completions that outlive Redis. Jobs and outcomes are text here: what is in them is known elsewhere. */
export function createKeptCompletions(db: Database) {
  return {
    /** Corrects the job of one that has not ended. */
    async replaceJob(id: CompletionId, job: string): Promise<void> {
      await sql`update store.kept_completion set job = ${job} where id = ${uuidOf(id)} and job is not null`.execute(db)
    },

    /** The job of one that has not ended, to be handed over again. */
    async jobOf(id: CompletionId): Promise<string | undefined> {
      const { rows } = await sql<{ job: string | null }>`
        select job from store.kept_completion where id = ${uuidOf(id)}`.execute(db)
      return rows[0]?.job ?? undefined
    },

    /** The terminal record of one that has ended and is still kept. */
    async outcomeOf(accountId: AccountId, id: CompletionId): Promise<string | undefined> {
      const { rows } = await sql<{ outcome: string | null }>`
        select outcome from store.kept_completion
        where id = ${uuidOf(id)} and account_id = ${uuidOf(accountId)}`.execute(db)
      return rows[0]?.outcome ?? undefined
    },

    /** Forgets what was said. The completion is no longer listed, and its idempotency key is free; its place in the books stays. */
    async forget(accountId: AccountId, id: CompletionId): Promise<void> {
      await sql`
        with gone as (
          delete from store.kept_completion where id = ${uuidOf(id)} and account_id = ${uuidOf(accountId)}
        ), freed as (
          delete from store.idempotency_key where completion_id = ${uuidOf(id)} and account_id = ${uuidOf(accountId)}
        )
        update store.completion set deleted_at = coalesce(deleted_at, clock_timestamp()), metadata = null
        where id = ${uuidOf(id)} and account_id = ${uuidOf(accountId)}`.execute(db)
    },
  }
}
