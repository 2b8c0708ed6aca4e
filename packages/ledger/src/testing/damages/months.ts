import { newCompletionId, uuidOf } from '@weir/contracts'
import { sql } from 'kysely'
import { type Damages } from './damage.ts'

/** Which month a row is kept in. */
export const months = {
  'rows-lie-in-their-month': [
    [
      'a completion has an id of the far future',
      (of) => sql`update ledger.reservation set id = ${newFarId()}::uuid where id = ${uuidOf(of.released)}`,
    ],
  ],
} satisfies Damages

const newFarId = (): string => `ffff${uuidOf(newCompletionId()).slice(4)}`
