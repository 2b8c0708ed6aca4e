import { randomBytes } from 'node:crypto'
import { type CompletionId, completionIdOf, newAccountId, newKeyId, uuidOf } from '@weir/contracts'
import { openTestDatabase } from '@weir/local/testing'
import { openDatabase } from '@weir/runtime'
import { sql } from 'kysely'
import { createAccountStore } from '../accounts.ts'
import { createApiKeyStore } from '../api-keys.ts'
import { createCompletionStore } from '../completions.ts'

export type StoreFixture = Awaited<ReturnType<typeof openStoreFixture>>

/** The tables of the store in a database of their own. */
export async function openStoreFixture() {
  await using resources = new AsyncDisposableStack()
  const { url } = resources.use(await openTestDatabase())
  const db = resources.use(openDatabase(url, { max: 8, timeoutMs: 60_000, onError: () => {} }))
  const completions = createCompletionStore(db)

  const opened = resources.move()
  return {
    db,
    accounts: createAccountStore(db),
    apiKeys: createApiKeyStore(db, 'the pepper of these tests'),
    completions,
    /** Accepts a completion of each age. */
    async accept(...agesMs: number[]): Promise<CompletionId[]> {
      const ids = agesMs.map(completionIdOfAge)
      const each = <T>(value: T): T[] => ids.map(() => value)
      const deadline = new Date(Date.now() + 60_000).toISOString()
      await sql`
        select store.insert_completions(
          ${each(true)}::boolean[], ${ids.map(uuidOf)}::uuid[], ${each(uuidOf(newAccountId()))}::uuid[],
          ${each(uuidOf(newKeyId()))}::uuid[], ${each('fast')}::text[], ${each(false)}::boolean[],
          ${each(deadline)}::timestamptz[], ${each(false)}::boolean[], ${each(null)}::jsonb[],
          ${each(0)}::smallint[], ${each(false)}::boolean[], ${each(null)}::text[])`.execute(db)
      return ids
    },
    async end(...ids: CompletionId[]): Promise<void> {
      const each = <T>(value: T): T[] => ids.map(() => value)
      await sql`
        select store.end_completions(
          ${ids.map(uuidOf)}::uuid[], ${each('completed')}::text[], ${each('simulated/fast')}::text[],
          ${each(null)}::text[], ${each(7)}::bigint[], ${each(0)}::bigint[], ${each(0)}::bigint[],
          ${each(3)}::bigint[], ${each(0)}::bigint[], ${each(0)}::bigint[],
          ${each('reported')}::text[], ${each(10n)}::bigint[], ${each(1)}::smallint[], ${each(null)}::int[],
          ${each(new Date().toISOString())}::timestamptz[], ${each(null)}::jsonb[])`.execute(db)
    },
    async openIds(): Promise<CompletionId[]> {
      return (await completions.openOnes({ limit: 1_000 })).map(({ id }) => id)
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** An id as it was minted so long ago: a UUIDv7 begins with its time in milliseconds. */
function completionIdOfAge(ageMs: number): CompletionId {
  const time = (Date.now() - ageMs).toString(16).padStart(12, '0')
  const digits = `${time}7${randomBytes(2).toString('hex').slice(1)}8${randomBytes(8).toString('hex').slice(1)}`
  return completionIdOf(digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'))
}
