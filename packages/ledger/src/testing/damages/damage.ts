import { uuidOf } from '@weir/contracts'
import { type RawBuilder, sql } from 'kysely'
import type { InvariantName } from '../../check/check.ts'
import type { UsedAccount } from '../check-fixture.ts'

/** What happens to a used account, past all that would refuse it, and which other invariants break with it. */
export type Damage = [what: string, damage: (of: UsedAccount) => RawBuilder<unknown>, ...also: InvariantName[]]

/** Under each invariant, what breaks it. */
export type Damages = { readonly [Name in InvariantName]?: Damage[] }

export const account = ({ accountId }: UsedAccount) => sql`${uuidOf(accountId)}::uuid`
export const grant = (of: UsedAccount) => sql`${uuidOf(of.grant)}::uuid`
export const drained = (of: UsedAccount) => sql`${uuidOf(of.drained)}::uuid`
export const settled = (of: UsedAccount) => sql`${uuidOf(of.settled)}::uuid`
export const refund = (of: UsedAccount) =>
  sql`(select id from ledger.action where account_id = ${account(of)} and kind = 'refund' order by id limit 1)`
/** A charge in the middle of the chain of a grant. */
export const charge = (of: UsedAccount) =>
  sql`kind = 'charge' and ref = ${uuidOf(of.uncollected)} and grant_id = ${drained(of)}`
