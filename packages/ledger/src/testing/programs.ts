import fc from 'fast-check'
import type { ActionKind, GrantKind, LimitPeriod, Shortage } from '../tables.ts'

// Few accounts, few completions, small amounts and few times, so that programs meet themselves: duplicates, wrong
// accounts, the last credit, one microcredit too many, a grant that ends while it is reserved, a budget that is used up.
// Everything is an index or an amount; a comparison gives it its id.

/** A minute before the end of a day and a month. */
export const START = new Date('2031-01-31T23:59:00Z')

export const ACCOUNTS = 3
export const KEYS = 2

export type Plan = {
  kind: 'reserve' | 'extend' | 'settle' | 'release' | 'expire'
  account: number
  /** Any completion, of this account or not: reserved again, or ended without or after all. Else the one that is fitting. */
  blind: boolean
  /** Which of them. */
  which: number
  amount: bigint
  /** Of a reservation: the least that will do. */
  least: bigint
  key: number | null
}
export type ChangePlan = {
  op: ActionKind
  account: number
  amount: bigint
  kind: GrantKind
  priority: number
  endsInMs: number | null
  blind: boolean
  /** Which of the account's grants, or of the completions that paid. Blindly: none of them. */
  which: number
  /** Of a refund: all that is left. */
  whole: boolean
  reference: string | undefined
}
export type Step =
  | { step: 'batch'; plans: Plan[]; again: number }
  | { step: 'amend'; changes: ChangePlan[]; again: boolean }
  | { step: 'clock'; byMs: number }
  | { step: 'shortage'; account: number; shortage: Shortage }
  | { step: 'limit'; account: number; key: number; period: LimitPeriod; amount: bigint | null }

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

const mostly = <T>(...choices: [number, T][]) =>
  fc.oneof(...choices.map(([weight, value]) => ({ weight, arbitrary: fc.constant(value) })))
const rarely = mostly([9, false], [1, true])
const account = fc.nat({ max: ACCOUNTS - 1 })
const which = fc.nat({ max: 11 })
const key = mostly([5, 0], [1, 1])
const upTo = (max: bigint, min = 0n) => fc.bigInt({ min, max })

const plan: fc.Arbitrary<Plan> = fc.record({
  kind: mostly<Plan['kind']>([6, 'reserve'], [2, 'extend'], [5, 'settle'], [1, 'release'], [1, 'expire']),
  account,
  blind: mostly([6, false], [1, true]),
  which,
  amount: fc.oneof({ weight: 4, arbitrary: upTo(9n) }, { weight: 1, arbitrary: upTo(30n) }),
  least: upTo(3n),
  key: fc.option(key, { freq: 3 }),
})

export const plans: fc.Arbitrary<Plan[]> = fc.array(plan, { minLength: 1, maxLength: 8, size: 'max' })

const changeOf = (op: fc.Arbitrary<ActionKind>): fc.Arbitrary<ChangePlan> =>
  fc.record({
    op,
    account,
    amount: upTo(25n, 1n),
    kind: fc.constantFrom<GrantKind[]>('promotional', 'subscription', 'purchased'),
    priority: fc.constantFrom(50, 100),
    endsInMs: mostly<number | null>([3, null], [2, hour], [2, 3 * hour], [1, day], [1, -minute]),
    blind: rarely,
    which,
    whole: rarely,
    reference: mostly<string | undefined>([8, undefined], [1, 'invoice 7'], [1, 'invoice 8']),
  })

const limit = fc.record({
  step: fc.constant('limit' as const),
  account,
  key,
  period: fc.constantFrom<LimitPeriod[]>('day', 'month', 'total'),
  amount: fc.option(upTo(40n), { freq: 4 }),
})

const shortage = fc.record({
  step: fc.constant('shortage' as const),
  account,
  shortage: fc.constantFrom<Shortage[]>('refuse', 'clamp', 'clamp'),
})

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ step: fc.constant('batch'), plans, again: fc.nat({ max: 8 }) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      step: fc.constant('amend'),
      changes: fc.array(
        changeOf(
          mostly<ActionKind>(
            [5, 'grant'],
            [5, 'expire'],
            [5, 'refund'],
            [2, 'revoke'],
            [2, 'adjust'],
            [1, 'freeze'],
            [3, 'unfreeze'],
          ),
        ),
        { minLength: 1, maxLength: 4 },
      ),
      again: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      step: fc.constant('clock'),
      byMs: mostly([2, minute], [4, hour], [1, day], [1, -minute], [1, -2 * hour]),
    }),
  },
  { weight: 1, arbitrary: shortage },
  { weight: 2, arbitrary: limit },
)

/** Some grants, a few settings, and then whatever may come. */
export const program: fc.Arbitrary<Step[]> = fc
  .tuple(
    fc.array(changeOf(fc.constant('grant')), { minLength: 5, maxLength: 9 }),
    fc.array(fc.oneof({ weight: 3, arbitrary: limit }, { weight: 1, arbitrary: shortage }), {
      maxLength: 10,
      size: 'max',
    }),
    fc.array(step, { minLength: 15, maxLength: 35, size: 'max' }),
  )
  .map(([changes, settings, steps]) => [{ step: 'amend', changes, again: false } as const, ...settings, ...steps])
