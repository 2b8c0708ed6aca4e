import { newAccountId, newCompletionId } from '@weir/contracts'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Operation } from './operations.ts'
import type { GrantKind } from './tables.ts'
import { type LedgerFixture, openLedgerFixture } from './testing/ledger-fixture.ts'
import { createModel } from './testing/model.ts'
import { rowsOf } from './testing/rows.ts'

let ledger: LedgerFixture
beforeAll(async () => void (ledger = await openLedgerFixture()))
afterAll(() => ledger[Symbol.asyncDispose]())

// Few accounts, few completions and small amounts, so that programs meet themselves: duplicates, wrong accounts, the
// last credit, one microcredit too many.
const account = fc.nat({ max: 1 })
const gift = fc.record({
  account,
  grant: fc.constantFrom<GrantKind[]>('promotional', 'subscription', 'purchased'),
  amount: fc.bigInt({ min: 1n, max: 20n }),
})
const plan = fc.record({
  kind: fc.constantFrom<Operation['kind'][]>('reserve', 'settle', 'release'),
  account,
  completion: fc.nat({ max: 7 }),
  amount: fc.bigInt({ min: 0n, max: 12n }),
})
const batch = fc.uniqueArray(plan, { selector: ({ completion }) => completion, minLength: 2, maxLength: 7 })
const program = fc.tuple(
  fc.array(gift, { minLength: 3, maxLength: 5 }),
  fc.array(fc.oneof({ weight: 1, arbitrary: gift }, { weight: 4, arbitrary: batch }), { minLength: 5, maxLength: 12 }),
)

type Gift = { account: number; grant: GrantKind; amount: bigint }
type Plan = { kind: Operation['kind']; account: number; completion: number; amount: bigint }

test('whatever is asked in whatever batches, the ledger answers and books like a plain model, and again the same', async () => {
  await fc.assert(
    fc.asyncProperty(program, async ([gifts, steps]) => {
      const books = createComparison()
      for (const next of [...gifts, ...steps]) {
        if (Array.isArray(next)) await books.batch(next)
        else await books.give(next)
        await books.compare()
      }
    }),
    { numRuns: 60 },
  )
}, 240_000)

/** New accounts, kept by the ledger and by the model side by side. */
function createComparison() {
  const model = createModel()
  const accounts = [newAccountId(), newAccountId()]
  const completions = Array.from({ length: 8 }, newCompletionId)
  const operationOf = ({ kind, account, completion, amount }: Plan): Operation => {
    const of = { accountId: accounts[account]!, completionId: completions[completion]! }
    if (kind === 'reserve') return { kind, ...of, amount }
    return kind === 'settle' ? { kind, ...of, cost: amount } : { kind, ...of }
  }

  return {
    async give({ account, grant: kind, amount }: Gift) {
      const accountId = accounts[account]!
      const { grant } = await ledger.give({ accountId, kind, amount })
      model.give(grant.id, accountId, kind, amount)
    },
    async batch(plans: Plan[]) {
      const ops = plans.toSorted((a, b) => a.account - b.account).map(operationOf)

      const verdicts = await ledger.apply(...ops)
      expect(verdicts).toEqual(ops.map(model.apply))

      // What was refused wrote nothing, so a repetition may be let in by what its batch has freed; all else stands.
      const standing = ops.filter((_, i) => verdicts[i]!.kind !== 'insufficient_credits')
      expect(await ledger.apply(...standing)).toEqual(standing.map(model.apply))
    },
    async compare() {
      expect(await rowsOf(ledger.db, accounts)).toEqual(accounts.map(model.rowsOf))
      expect(await ledger.faults(...accounts)).toEqual([])
    },
  }
}
