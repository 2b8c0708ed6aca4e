import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'
import { inject } from 'vitest'
import { newDatabaseName, urlOfDatabase, withConnection } from '../admin-database.ts'
import './provided.ts'

/** `url` is the owner's, `appUrl` that of the login which the apps use. */
export type TestDatabase = AsyncDisposable & { url: string; appUrl: string }

/** A database of its own for one test file, with the schema in place; dropped when disposed. */
export async function openTestDatabase(): Promise<TestDatabase> {
  const serverUrl = inject('databaseUrl')
  const name = newDatabaseName('test')
  await withConnection(serverUrl, (client) => copyTemplate(client, name, inject('templateDatabase')))
  return {
    url: urlOfDatabase(serverUrl, name),
    appUrl: urlOfDatabase(inject('appDatabaseUrl'), name),
    async [Symbol.asyncDispose]() {
      await withConnection(serverUrl, (client) => client.query(`drop database if exists ${name} with (force)`))
    },
  }
}

// Copies of one template are made one after another, and autovacuum may be looking at it just now.
async function copyTemplate(client: Client, name: string, template: string): Promise<void> {
  await client.query('select pg_advisory_lock(hashtext($1))', [template])
  for (let attempt = 1; ; attempt += 1) {
    try {
      await client.query(`create database ${name} template ${template}`)
      return
    } catch (error) {
      const isBusy = (error as { code?: string }).code === '55006'
      if (!isBusy || attempt === 10) throw error
      await sleep(200)
    }
  }
}
