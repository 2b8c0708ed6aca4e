import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openPostgres } from '@weir/local'
import { type Database, type MigrationSource, migrate, openDatabase } from '@weir/runtime'
import { sql } from 'kysely'

export type Server = AsyncDisposable & {
  version: string
  /** The server's own process, to read the CPU time of its family. */
  pid: number | undefined
  admin: Database
  /** A pool on a database of this server. */
  connect: (name: string, connections: number) => Database
  urlOf: (name: string) => string
  /** A copy of the migrated database, which nobody may be using meanwhile. */
  copy: (name: string) => Promise<void>
  /** The settings that decide what a commit costs, as the server has them. */
  durability: () => Promise<string>
}

const TEMPLATE = 'weir'

/**
 * A durable Postgres for this run alone, as `npm start` would start one, with the ledger's schema and what `prepare` puts
 * into it.
 */
export async function openServer(source: MigrationSource, prepare: (db: Database) => Promise<void>): Promise<Server> {
  await using resources = new AsyncDisposableStack()
  // The name is that of a test run, so that what a killed run leaves behind is cleared away with those.
  const dir = join(checkout, '.weir', `test-${process.pid}-ledger-bench`)
  resources.defer(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }))
  const { url, version, pid } = resources.use(await openPostgres({ dir: join(dir, 'postgres') }))

  await migrate(url, [source])
  const urlOf = (name: string) => Object.assign(new URL(url), { pathname: `/${name}` }).href
  const connect = (name: string, connections: number) => openPool(urlOf(name), connections)
  {
    await using db = connect(TEMPLATE, 1)
    await prepare(db)
    await sql`vacuum analyze`.execute(db)
  }
  const admin = resources.use(connect('postgres', 1))
  await sql`create extension pg_walinspect`.execute(admin)

  const opened = resources.move()
  return {
    version,
    pid,
    admin,
    connect,
    urlOf,
    copy: async (name) => void (await sql.raw(`create database ${name} template ${TEMPLATE}`).execute(admin)),
    async durability() {
      const { rows } = await sql<{ text: string }>`
        select string_agg(name || ' ' || setting, ', ' order by name) as text
        from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes')`.execute(admin)
      return rows[0]!.text
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** As the service opens one, but patient: a caller may wait for 500 others. */
export const openPool = (url: string, connections: number): Database =>
  openDatabase(url, { max: connections, timeoutMs: 60_000, onError: () => {} })

const checkout = fileURLToPath(new URL('../../../', import.meta.url))
