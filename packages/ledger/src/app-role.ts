import type { Database } from '@weir/runtime'
import { sql } from 'kysely'

/** Whether this server has the role that the processes which serve are given: whoever migrated may have had no right to make it. */
export async function hasAppRole(db: Database): Promise<boolean> {
  const { rows } = await sql`select from pg_roles where rolname = 'weir_app'`.execute(db)
  return rows.length > 0
}
