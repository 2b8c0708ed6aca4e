import { randomBytes } from 'node:crypto'
import pg from 'pg'

/** Runs `work` with a connection of its own to the database at `url`. */
export async function withConnection<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  // A server that goes away makes the query fail; the event beside it must not end the process.
  client.on('error', () => {})
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end().catch(() => {})
  }
}

/** The same server, another database. */
export function urlOfDatabase(url: string, name: string): string {
  const other = new URL(url)
  other.pathname = `/${name}`
  return other.href
}

export function newDatabaseName(kind: 'template' | 'test'): string {
  return `weir_${kind}_${randomBytes(6).toString('hex')}`
}
