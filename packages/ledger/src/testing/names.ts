import { actionIdOf, grantIdOf, uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import type { AmendVerdict } from '../amendments.ts'
import type { Micros } from './model/books.ts'
import type { Named } from './model/amendments.ts'

/** What nobody can foresee of amendments that were done: their time, their ids and those of the grants they moved. */
export async function namesOf(
  db: Database,
  verdicts: readonly AmendVerdict[],
): Promise<((Named & { at: Micros }) | undefined)[]> {
  const asked = verdicts.flatMap((verdict) => ('actionId' in verdict ? [uuidOf(verdict.actionId)] : []))
  const { rows } = await sql<{ id: string; at: bigint; grants: string[] }>`
    select a.id, (extract(epoch from a.created_at) * 1000000)::bigint as at,
      array(select e.grant_id::text from ledger.entry e where e.ref = a.id order by e.sequence) as grants
    from ledger.action a where a.id = any(${asked}::uuid[])`.execute(db)
  const byAction = new Map(rows.map((row) => [actionIdOf(row.id), row]))
  return verdicts.map((verdict) => {
    if (!('actionId' in verdict)) return undefined
    const { actionId } = verdict
    const { at, grants } = byAction.get(actionId)!
    return { actionId, at, grantIds: grants.map(grantIdOf) }
  })
}
