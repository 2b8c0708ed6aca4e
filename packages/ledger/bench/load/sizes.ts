import type { Database } from '@weir/runtime'
import { sql } from 'kysely'

export type Size = { name: string; rows: number; tableBytes: number; indexBytes: number }

/** How much each month of entries and reservations takes, and all the rest of the books. Empty months are left out. */
export async function sizesOf(db: Database): Promise<Size[]> {
  const { rows } = await sql<{ name: string; rows: number; table_bytes: bigint; index_bytes: bigint }>`
    select c.relname as name, c.reltuples as rows, pg_table_size(c.oid) as table_bytes, pg_indexes_size(c.oid) as index_bytes
    from pg_class c where c.relnamespace = 'ledger'::regnamespace and c.relkind = 'r' and c.reltuples > 0
    order by c.relispartition desc, c.relname`.execute(db)
  return rows.map(({ table_bytes, index_bytes, ...row }) => {
    return { ...row, tableBytes: Number(table_bytes), indexBytes: Number(index_bytes) }
  })
}

/** Of all updates of reservations, those that touched no index: their new version found room on the same page. */
export async function hotShareOf(db: Database): Promise<number> {
  const { rows } = await sql<{ share: number }>`
    select (sum(n_tup_hot_upd) / sum(n_tup_upd))::float8 as share from pg_stat_user_tables
    where schemaname = 'ledger' and relname like 'reservation_%'`.execute(db)
  return rows[0]!.share
}
