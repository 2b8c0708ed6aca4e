import { existsSync } from 'node:fs'
import { runMigrations } from '../migrate.ts'
import { repo } from '../repo.ts'
import { newDatabaseName, urlOfDatabase, withConnection } from '../admin-database.ts'

/** A migrated database to copy from: migrating once is cheaper than once for each test file. */
export async function openTemplateDatabase(serverUrl: string): Promise<AsyncDisposable & { name: string }> {
  const name = newDatabaseName('template')
  const drop = async () => {
    await withConnection(serverUrl, (client) => client.query(`drop database if exists ${name} with (force)`))
  }
  await withConnection(serverUrl, (client) => client.query(`create database ${name}`))
  try {
    if (existsSync(repo.migrate)) await runMigrations(urlOfDatabase(serverUrl, name))
    // A template with a visitor cannot be copied.
    await withConnection(serverUrl, (client) => client.query(`alter database ${name} allow_connections false`))
  } catch (error) {
    await drop().catch(() => {})
    throw error
  }
  return { name, [Symbol.asyncDispose]: drop }
}
