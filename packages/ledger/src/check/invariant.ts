import { type AccountId, uuidOf } from '@weir/contracts'
import { type RawBuilder, sql } from 'kysely'

/** Something that must always hold, and the one statement that finds where it does not. */
export type Invariant = {
  /** Stable: alarms and runbooks may refer to it. */
  readonly invariant: string
  readonly subject: SubjectKind
  /** Selects `account_id`, `subject` (the id of what is wrong) and `message`; no rows where all is well. */
  readonly findings: (asked: Asked) => RawBuilder<FindingRow>
}

export type SubjectKind = 'account' | 'grant' | 'completion' | 'action' | 'key' | 'month'
export type FindingRow = { account_id: string | null; subject: string; message: string }

export type Asked = {
  /** Limits a statement to the rows of the accounts that were asked for. */
  only: (column: string) => RawBuilder<boolean>
  checkedAt: Date
  leaseGraceMs: number
}

export function onlyOf(accountIds: readonly AccountId[] | undefined): Asked['only'] {
  const uuids = accountIds?.map(uuidOf)
  return (column) => (uuids ? sql<boolean>`${sql.ref(column)} = any(${uuids}::uuid[])` : sql<boolean>`true`)
}
