import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { CompiledQuery } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { type Database, openDatabase } from './database.ts'

/** A room's migrations: plain SQL files, numbered, forward only. */
export type MigrationSource = { room: string; folder: string }

/** Brings the database up to date and tells which migrations ran. Any number of processes may try at once: one does it, the others wait. */
export async function migrate(databaseUrl: string, sources: readonly MigrationSource[]): Promise<string[]> {
  // Migrations may rebuild a table: they get minutes where a request gets seconds.
  await using db = openDatabase(databaseUrl, { max: 2, timeoutMs: 600_000, onError: () => {} })
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => readMigrations(sources) },
    migrationTableSchema: 'weir',
    migrationTableName: 'migration',
    migrationLockTableName: 'migration_lock',
    // Rooms number their own files: `store/0001` may be older than `ledger/0002`.
    allowUnorderedMigrations: true,
  })
  const { error, results = [] } = await migrator.migrateToLatest()
  if (error) throw error
  return results.map(({ migrationName }) => migrationName)
}

async function readMigrations(sources: readonly MigrationSource[]): Promise<Record<string, Migration>> {
  const migrations: Record<string, Migration> = {}
  for (const { room, folder } of sources) {
    const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort()
    for (const file of files) {
      const text = await readFile(join(folder, file), 'utf8')
      migrations[`${room}/${basename(file, '.sql')}`] = {
        async up(db: Database) {
          await db.executeQuery(CompiledQuery.raw(text))
        },
      }
    }
  }
  return migrations
}
