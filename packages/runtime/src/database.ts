import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely'
import { DatabaseError, Pool, types } from 'pg'

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
): Database {
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
  // One that is in use tells its query; its error event, which nobody else hears, would end the process.
  pool.on('connect', (client) => client.on('error', () => {}))
  return new Kysely<unknown>({ dialect: new PostgresDialect({ pool: withoutDeadConnections(pool) }) })
}

/**
 * `pg` gives a connection whose query timed out back to the pool, where the next query would wait behind the lost one. A
 * server that vanished without a word would hold every connection that way. One that Postgres ends goes back, too, before
 * its end is noticed, and would fail the next query. So only an answer to the statement itself lets a connection live on.
 */
function withoutDeadConnections(pool: Pool): PostgresPool {
  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect()
      let dead = false
      async function query(text: string, parameters: readonly unknown[]) {
        try {
          return await client.query(text, parameters as unknown[])
        } catch (error) {
          dead ||= !isAnswer(error)
          throw error
        }
      }
      // Its other signature, for cursors, is not used here.
      return { query: query as unknown as PostgresPoolClient['query'], release: () => client.release(dead) }
    },
  }
}

/** An error that Postgres gives to a statement, and not, as in class 08 and 57P0x, to the whole connection. */
const isAnswer = (error: unknown): boolean => error instanceof DatabaseError && !/^(08|57P)/.test(error.code ?? '')
