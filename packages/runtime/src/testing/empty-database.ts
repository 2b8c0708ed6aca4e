import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { inject } from 'vitest'
import { openDatabase } from '../database.ts'

/** A database with nothing in it; dropped when disposed. */
export async function openEmptyDatabase(): Promise<AsyncDisposable & { url: string }> {
  const server = new URL(inject('databaseUrl'))
  const name = `weir_test_${randomBytes(6).toString('hex')}`
  const run = async (statement: string) => {
    await using db = openDatabase(server.href, { max: 1, timeoutMs: 60_000, onError: () => {} })
    await sql.raw(statement).execute(db)
  }
  await run(`create database ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return { url: url.href, [Symbol.asyncDispose]: () => run(`drop database if exists ${name} with (force)`) }
}
