import type { InvariantName } from '../check/check.ts'
import { actions } from './damages/actions.ts'
import { balances } from './damages/balances.ts'
import type { Damage } from './damages/damage.ts'
import { entries } from './damages/entries.ts'
import { grants } from './damages/grants.ts'
import { limits } from './damages/limits.ts'
import { months } from './damages/months.ts'
import { reservations } from './damages/reservations.ts'

/** Every invariant has its damages. Months that nobody made concern no account; they are left out of this. */
export const damages: Record<Exclude<InvariantName, 'months-are-made-ahead'>, Damage[]> = {
  ...balances,
  ...entries,
  ...grants,
  ...reservations,
  ...actions,
  ...limits,
  ...months,
}
