import { type Dialect, Kysely, PostgresDialect } from 'kysely'
import { Pool, types } from 'pg'

/** A Postgres pool behind kysely. Engines see their own tables in it with `withTables`. */
export type Database = Kysely<unknown>

const INT8 = 20
const INT8_ARRAY = 1016

// BigInt from socket to socket, for this pool only: money must never pass through a float.
const bigintTypes = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (oid === INT8) return BigInt
    if (oid === INT8_ARRAY) return (text: string) => (text === '{}' ? [] : text.slice(1, -1).split(',').map(BigInt))
    return types.getTypeParser(oid, format)
  },
} as typeof types

/**
 * Opens a pool of at most `max` connections. A query fails after `timeoutMs`, whether Postgres is away, silent or slow;
 * a broken connection is replaced at the next use.
 */
export function openDatabase(
  url: string,
  options: { max: number; timeoutMs: number; onError: (error: Error) => void },
): Database & AsyncDisposable {
  const pool = new Pool({
    connectionString: url,
    max: options.max,
    types: bigintTypes,
    connectionTimeoutMillis: options.timeoutMs,
    query_timeout: options.timeoutMs,
    statement_timeout: options.timeoutMs,
    lock_timeout: options.timeoutMs,
    idle_in_transaction_session_timeout: 5_000,
    keepAlive: true,
    application_name: 'weir',
  })
  // An idle connection that Postgres closes raises its error here; the pool has dropped it already.
  pool.on('error', options.onError)
  return new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) as Dialect }) as Database & AsyncDisposable
}
