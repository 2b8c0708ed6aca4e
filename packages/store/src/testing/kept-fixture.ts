import { type CompletionId, newAccountId, newCompletionId, newKeyId, uuidOf } from '@weir/contracts'
import { openTestDatabase } from '@weir/local/testing'
import { openDatabase } from '@weir/runtime'
import { sql } from 'kysely'
import { type Metadata, createCompletionRecords } from '../completion-record.ts'
import { createIdempotencyKeys } from '../idempotency-keys.ts'
import { createKeptCompletions } from '../kept-completions.ts'

export type KeptFixture = Awaited<ReturnType<typeof openKeptFixture>>

type Inserted = { id: CompletionId; job: string | null; accepted: boolean; metadata?: Metadata; keepMs?: number }

export const DAY_MS = 86_400_000

/** One account's completions and what is kept of them, in a database of their own. */
export async function openKeptFixture() {
  await using resources = new AsyncDisposableStack()
  const { url } = resources.use(await openTestDatabase())
  const db = resources.use(openDatabase(url, { max: 4, timeoutMs: 60_000, onError: () => {} }))
  const accountId = newAccountId()

  async function insert(...given: Inserted[]): Promise<void> {
    const each = <T>(value: T): T[] => given.map(() => value)
    const accepted = sql`${given.map(({ accepted }) => accepted)}::boolean[]`
    const ids = sql`${given.map(({ id }) => uuidOf(id))}::uuid[]`
    const accounts = sql`${each(uuidOf(accountId))}::uuid[]`
    await sql`select
      store.insert_completions(${accepted}, ${ids}, ${accounts}, ${each(uuidOf(newKeyId()))}::uuid[],
        ${each('fast')}::text[], ${each(false)}::boolean[], ${each(new Date().toISOString())}::timestamptz[],
        ${each(false)}::boolean[],
        ${given.map(({ metadata }) => (metadata ? JSON.stringify(metadata) : null))}::jsonb[], ${each(0)}::smallint[],
        ${each(false)}::boolean[], ${each(null)}::text[]),
      store.keep_jobs(${accepted}, ${ids}, ${accounts}, ${given.map(({ job }) => job)}::text[],
        ${given.map(({ keepMs = DAY_MS }) => keepMs)}::bigint[])`.execute(db)
  }

  const opened = resources.move()
  return {
    db,
    accountId,
    insert,
    kept: createKeptCompletions(db),
    records: createCompletionRecords(db),
    keys: createIdempotencyKeys(db, { ttlMs: DAY_MS }),
    async keep(job: string, more: { metadata?: Metadata; keepMs?: number } = {}): Promise<CompletionId> {
      const id = newCompletionId()
      await insert({ id, job, accepted: true, ...more })
      return id
    },
    /** The end of a completion, with what is kept of it. */
    async end(id: CompletionId, outcome: string, { state = 'completed', charged = 10n } = {}): Promise<void> {
      await sql`select
        store.end_completions(array[${uuidOf(id)}]::uuid[], array[${state}], '{gpu/small}', '{null}', '{7}', '{0}', '{0}',
          '{3}', '{0}', '{0}', '{reported}', array[${charged}]::bigint[], '{1}', '{null}', array[clock_timestamp()], '{null}'),
        store.keep_outcomes(array[${uuidOf(id)}]::uuid[], array[${outcome}])`.execute(db)
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
