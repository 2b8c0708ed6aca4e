import { randomBytes } from 'node:crypto'
import { cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { newCompletionId, newGrantId, uuidOf } from '@weir/contracts'
import { openTempDir } from '@weir/local/testing'
import { type Database, migrate, openDatabase } from '@weir/runtime'
import { sql } from 'kysely'
import { inject } from 'vitest'
import { ledgerMigrations } from '../index.ts'
import { PATIENCE_MS } from './lanes.ts'

const connect = (url: string) => openDatabase(url, { max: 1, timeoutMs: PATIENCE_MS, onError: () => {} })

/** Books that were only ever migrated to the second file, as the first release made them. */
export async function openOldBooks() {
  await using resources = new AsyncDisposableStack()
  const url = new URL(inject('databaseUrl'))
  const server = resources.use(connect(url.href))
  url.pathname = `/weir_test_${randomBytes(6).toString('hex')}`
  const name = sql.raw(url.pathname.slice(1))
  await sql`create database ${name}`.execute(server)
  resources.defer(async () => void (await sql`drop database ${name} with (force)`.execute(server)))

  const { path } = resources.use(await openTempDir())
  const folder = join(path, 'migrations')
  await mkdir(folder)
  for (const file of ['0001-books.sql', '0002-apply.sql'])
    await cp(join(ledgerMigrations.folder, file), join(folder, file))
  await migrate(url.href, [{ ...ledgerMigrations, folder }])
  const db = resources.use(connect(url.href))

  const opened = resources.move()
  return {
    db,
    ...operationsOf(db),
    /** Brings the books up to date, and tells which migrations ran. */
    migrate: () => migrate(url.href, [ledgerMigrations]),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** What could be done to the books then. Ids are UUIDs. */
function operationsOf(db: Database) {
  const apply = (op: 1 | 2 | 3, account: string, id: string, amount: bigint) =>
    sql`select ledger.apply(
      array[${op}]::smallint[], array[${account}]::uuid[], array[${id}]::uuid[], array[${amount}]::bigint[])`.execute(
      db,
    )
  return {
    async give(account: string, kind: string, amount: bigint, reference: string | null, id = uuidOf(newGrantId())) {
      await sql`select ledger.give(${account}::uuid, ${id}::uuid, ${kind}, ${amount}::bigint, ${reference})`.execute(db)
    },
    async reserve(account: string, amount: bigint, id = uuidOf(newCompletionId())): Promise<string> {
      await apply(1, account, id, amount)
      return id
    },
    settle: (account: string, id: string, cost: bigint) => apply(2, account, id, cost),
    release: (account: string, id: string) => apply(3, account, id, 0n),
    /** As if all that was done so far had been done a hundred days ago. */
    async age(): Promise<void> {
      await sql`begin; set local session_replication_role = replica;
        update ledger.credit_grant set created_at = created_at - interval '100 days';
        update ledger.reservation set created_at = created_at - interval '100 days',
          closed_at = closed_at - interval '100 days';
        update ledger.entry set created_at = created_at - interval '100 days';
        commit`.execute(db)
    },
  }
}

/** The same id, made a hundred days earlier. */
export function earlier(uuid: string): string {
  const at = BigInt(`0x${uuid.slice(0, 8)}${uuid.slice(9, 13)}`) - 100n * 86_400_000n
  const hex = at.toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}${uuid.slice(13)}`
}
