import type { AccountId } from '@weir/contracts'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Amendment } from './amendments.ts'
import { type Arena, claimsOn, newArena, operationIn } from './testing/contention.ts'
import { type Amended, replay } from './testing/history.ts'
import { type Decided, createNotingLane } from './testing/lanes.ts'
import { type LedgerFixture, openLedgerFixture } from './testing/ledger-fixture.ts'
import { type Model, createModel } from './testing/model/index.ts'
import { namesOf } from './testing/names.ts'
import { rowsOf } from './testing/rows.ts'

let ledger: LedgerFixture
beforeAll(async () => void (ledger = await openLedgerFixture()))
afterAll(() => ledger[Symbol.asyncDispose]())

const ACCOUNTS = 3

test('four connections contend for the same completions, and their answers are those of one after another', async () => {
  await using connections = new AsyncDisposableStack()
  const databases = Array.from({ length: 4 }, () => connections.use(ledger.connect()))
  const spread = { claims: fc.integer(), changes: fc.integer(), maxBatch: fc.integer({ min: 1, max: 6 }) }
  await fc.assert(
    fc.asyncProperty(fc.record(spread), async ({ claims, changes, maxBatch }) => {
      const arena = newArena(ACCOUNTS, 12)
      const model = createModel()
      await limit(model, arena)
      const notes = { batches: [] as Decided[][], failures: [] }
      const amended = await amend(arena.accounts.flatMap(startOf))
      const lanes = databases.map((db) => createNotingLane(db, notes, maxBatch))
      const [asked = []] = fc.sample(claimsOn(arena, 160), { seed: claims, numRuns: 1 })
      const [operators = []] = fc.sample(changesOn(arena, amended), { seed: changes, numRuns: 1 })

      const working = asked.map((claim, i) => lanes[i % 4]!.submit(operationIn(arena, claim)))
      for (const amendment of operators) amended.push(...(await amend([amendment])))
      await Promise.all(working)

      for (const accountId of arena.accounts)
        replay(
          model,
          accountId,
          notes.batches,
          amended.filter(({ amendment }) => amendment.accountId === accountId),
        )
      expect(notes.failures).toEqual([])
      expect(await rowsOf(ledger.db, arena.accounts)).toEqual(arena.accounts.map(model.rowsOf))
      expect(await ledger.faults(...arena.accounts)).toEqual([])
    }),
    { numRuns: 25, endOnFailure: true },
  )
}, 120_000)

const by = { actor: 'test', reason: 'because' }

function startOf(accountId: AccountId): Amendment[] {
  // In the middle of it all.
  const soon = new Date(Date.now() + 40)
  return [
    { op: 'grant', accountId, ...by, kind: 'promotional', amount: 15n, expiresAt: soon },
    { op: 'grant', accountId, ...by, kind: 'subscription', amount: 20n },
  ]
}

/** One account clamps, one has a key with a limit, and one has neither. */
async function limit(model: Model, { accounts, keyId }: Arena): Promise<void> {
  const [clamping, limited] = accounts as [AccountId, AccountId]
  await ledger.setShortage(clamping, 'clamp')
  model.setShortage(clamping, 'clamp')
  await ledger.setKeyLimit(limited, keyId, 'month', 10n)
  model.setKeyLimit(limited, { keyId, period: 'month', amount: 10n })
}

/** What operators do meanwhile. Not `expire`: what it has to wait for, it notes without counting as a change. */
function changesOn({ accounts, completions }: Arena, amended: readonly Amended[]): fc.Arbitrary<Amendment[]> {
  const accountId = fc.constantFrom(...accounts)
  const completion = fc.nat({ max: 11 })
  const change = fc.oneof(
    fc.record({ op: fc.constant('grant' as const), kind: fc.constant('purchased' as const), amount: fc.constant(4n) }),
    fc.record({
      op: fc.constant('adjust' as const),
      kind: fc.constant('purchased' as const),
      amount: fc.constant(-1n),
    }),
    fc.record({ op: fc.constantFrom('freeze' as const, 'unfreeze' as const, 'unfreeze' as const) }),
  )
  const refund = fc.tuple(fc.nat({ max: ACCOUNTS - 1 }), completion).map(([account, i]) => {
    return { op: 'refund' as const, accountId: accounts[account]!, completionId: completions[account]![i]! }
  })
  const revoke = fc.constantFrom(...amended).map(({ amendment, named }) => {
    return { op: 'revoke' as const, accountId: amendment.accountId, grantId: named.grantIds[0]! }
  })
  const any = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(accountId, change).map(([accountId, change]) => ({ accountId, ...change })) },
    { weight: 6, arbitrary: refund },
    { weight: 1, arbitrary: revoke },
  )
  return fc.array(
    any.map((amendment) => ({ ...amendment, ...by })),
    { minLength: 20, maxLength: 20 },
  )
}

/** Those that were done; a refusal changes nothing. */
async function amend(amendments: Amendment[]): Promise<Amended[]> {
  const verdicts = await ledger.amend(amendments)
  const names = await namesOf(ledger.db, verdicts)
  return amendments.flatMap((amendment, i) => {
    const named = verdicts[i]!.kind === 'done' ? names[i] : undefined
    return named ? [{ amendment, named }] : []
  })
}
