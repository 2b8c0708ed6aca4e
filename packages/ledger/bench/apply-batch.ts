import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import {
  type AppliedRow,
  type CloseVerdict,
  type Operation,
  type ReserveVerdict,
  applyCall,
  closeVerdictAt,
  reserveVerdictAt,
} from '../src/operations.ts'

export type Verdict = ReserveVerdict | CloseVerdict

const LEASE_MS = 600_000

/** One call of `ledger.apply`, as the service makes it but for the completion's own row. */
export async function applyBatch(db: Database, ops: readonly Operation[]): Promise<Verdict[]> {
  const { rows } = await sql<AppliedRow>`
    select verdict, figure, other, version from ${applyCall(ops, LEASE_MS)} as applied`.execute(db)
  return ops.map(({ kind }, i) => (kind === 'reserve' ? reserveVerdictAt : closeVerdictAt)(rows[0]!, i))
}
