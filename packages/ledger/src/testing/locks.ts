import { setImmediate as turn } from 'node:timers/promises'
import type { Database } from '@weir/runtime'
import { type RawBuilder, sql } from 'kysely'

/** Runs a statement in a transaction of its own, and keeps the locks it took until it lets go. */
export async function holdBack(
  db: Database,
  statement: RawBuilder<unknown>,
): Promise<AsyncDisposable & { letGo(): Promise<void> }> {
  const tx = await db.startTransaction().execute()
  await sql`set local idle_in_transaction_session_timeout = 0`.execute(tx)
  await statement.execute(tx)
  const letGo = async () => {
    if (!tx.isRolledBack) await tx.rollback().execute()
  }
  return { letGo, [Symbol.asyncDispose]: letGo }
}

/** Resolves when so many connections of this database wait for a lock. */
export async function whenWaiting(db: Database, count: number): Promise<void> {
  for (;;) {
    const { rows } = await sql<{ waiting: bigint }>`
      select count(*) as waiting from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`.execute(db)
    if (rows[0]!.waiting === BigInt(count)) return
    await turn()
  }
}
