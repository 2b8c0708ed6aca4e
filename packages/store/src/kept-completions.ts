import { type AccountId, type CompletionId, uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import { createTurns } from './in-turn.ts'

export type KeptCompletions = ReturnType<typeof createKeptCompletions>

/** Megabytes take a moment each: more at once would only keep the connections from everybody else. */
const LARGE_AT_ONCE = 2

/** Completions that outlive Redis. Jobs and outcomes are text here: what is in them is known elsewhere. */
export function createKeptCompletions(db: Database) {
  const inTurn = createTurns(LARGE_AT_ONCE)

  return {
    /** Puts down the job of a large one that has been admitted, and what `keepMs` its result is to be kept for, if at all. */
    async layLarge(accountId: AccountId, id: CompletionId, job: string, keepMs: number): Promise<void> {
      await inTurn(() =>
        // One that has ended meanwhile needs it no more.
        sql`
          insert into store.kept_completion (id, account_id, job, keep_for)
          select ${uuidOf(id)}, ${uuidOf(accountId)}, ${job}, ${keepMs}::float8 * interval '1 ms'
          where exists (select from store.completion where id = ${uuidOf(id)} and state = 'queued')
          on conflict (id) do nothing`.execute(db),
      )
    },

    /** Corrects the job of one that has not ended. */
    async replaceJob(id: CompletionId, job: string): Promise<void> {
      await sql`update store.kept_completion set job = ${job} where id = ${uuidOf(id)} and job is not null`.execute(db)
    },

    /** The job of one that has not ended, to be handed over again: not of one that is only here for its size. */
    async jobOf(id: CompletionId): Promise<string | undefined> {
      const { rows } = await sql<{ job: string | null }>`
        select job from store.kept_completion
        where id = ${uuidOf(id)} and keep_for > interval '0'`.execute(db)
      return rows[0]?.job ?? undefined
    },

    /** The job of a large one that has not ended, whether or not it is to be kept. */
    async largeJobOf(id: CompletionId): Promise<string | undefined> {
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
