import { type AccountId, newAccountId, newCompletionId, newGrantId, newKeyId } from '@weir/contracts'
import { expect } from 'vitest'
import type { Amendment } from '../amendments.ts'
import type { Operation } from '../operations.ts'
import type { TestClock } from './clock.ts'
import { type Verdict, inOrderOfAccounts } from './lanes.ts'
import type { LedgerFixture } from './ledger-fixture.ts'
import { endOf } from './model/books.ts'
import { createModel } from './model/index.ts'
import { namesOf } from './names.ts'
import { ACCOUNTS, type ChangePlan, KEYS, type Plan, START, type Step } from './programs.ts'
import { rowsOf } from './rows.ts'
import type { Tally } from './tally.ts'

export type Comparison = ReturnType<typeof createComparison>

/** New accounts, kept by the ledger and by the model side by side. */
export function createComparison(ledger: LedgerFixture, clock: TestClock, met: Tally = new Map()) {
  const model = createModel()
  const accounts = Array.from({ length: ACCOUNTS }, newAccountId).sort()
  const keys = Array.from({ length: KEYS }, newKeyId)
  let now = START.getTime()
  const tally = (name: string) => met.set(name, (met.get(name) ?? 0) + 1)
  const micros = () => BigInt(now) * 1_000n

  /** The operations that are meant, as a batch must have them: in order of accounts, no completion twice. */
  function operationsOf(plans: readonly Plan[]): Operation[] {
    const ops = new Map(plans.map(operationOf).map((op) => [op.completionId, op]))
    return inOrderOfAccounts([...ops.values()])
  }

  function operationOf({ kind, blind, which, amount, least, key, ...plan }: Plan): Operation {
    const all = [...model.books.reservations.values()]
    const fitting = kind === 'reserve' ? [] : all.filter(({ state }) => state === 'open')
    const { id: completionId = newCompletionId(), accountId = accounts[plan.account]! } =
      pick(blind ? all : fitting, which) ?? {}
    const of = { completionId, accountId: blind ? accounts[plan.account]! : accountId }
    if (kind === 'reserve') return { kind, ...of, quote: amount, least, keyId: key === null ? undefined : keys[key] }
    if (kind === 'extend') return { kind, ...of, amount }
    return kind === 'settle' ? { kind, ...of, cost: amount } : { kind, ...of }
  }

  function amendmentOf({ op, ...plan }: ChangePlan): Amendment {
    const accountId = accounts[plan.account]!
    const by = { accountId, actor: 'test', reason: 'because', reference: plan.reference }
    const { kind, priority, amount } = plan
    const expiresAt = plan.endsInMs === null ? undefined : new Date(now + plan.endsInMs)
    switch (op) {
      case 'grant':
        return { op, ...by, kind, priority, amount, expiresAt }
      case 'adjust':
        // The priority of a grant says here which way it goes.
        return { op, ...by, kind, priority, amount: priority === 50 ? amount : -amount, expiresAt }
      case 'revoke':
      case 'expire':
        return { op, ...by, grantId: grantOf(op, accountId, plan) }
      case 'refund': {
        const paid = [...model.books.reservations.values()].filter(({ captured }) => captured > 0n)
        const { id: completionId, accountId } = pick(plan.blind ? [] : paid.slice(0, 2), plan.which) ?? {
          id: newCompletionId(),
          ...by,
        }
        return { op, ...by, accountId, completionId, amount: plan.whole ? undefined : 1n + (amount % 3n) }
      }
      default:
        return { op, ...by }
    }
  }

  /** To expire, one that has ended if there is any. */
  function grantOf(
    op: 'revoke' | 'expire',
    accountId: AccountId,
    { blind, which }: Pick<ChangePlan, 'blind' | 'which'>,
  ) {
    const grants = model.books.accounts.get(accountId)?.grants ?? []
    const full = grants.filter(({ balance }) => balance > 0n || which === 0)
    const ended = full.filter((grant) => op === 'expire' && (endOf(grant) ?? micros()) < micros())
    return pick(blind ? [] : ended.length > 0 ? ended : full, which)?.id ?? newGrantId()
  }

  async function batch(ops: Operation[]) {
    const verdicts = await ledger.apply(...ops)
    expect(verdicts).toEqual(model.apply(ops, micros()))
    ops.forEach(({ kind }, i) => tally(`${kind}: ${verdicts[i]!.kind}`))
    return verdicts
  }

  /** What was decided is decided: asking again gets the same answer and changes nothing. What was refused may ask anew. */
  async function askAgain(told: (readonly [Operation, Verdict])[]) {
    const standing = told.filter(
      ([{ kind }, verdict]) => 'charged' in verdict || (kind === 'reserve' && 'amount' in verdict),
    )
    const before = accounts.map(model.rowsOf)
    const again = await batch(standing.map(([op]) => op))
    const once = standing.map(([, verdict]) =>
      verdict.kind === 'closed' ? { ...verdict, kind: 'already_closed' } : verdict,
    )
    expect(again).toEqual(once)
    expect(accounts.map(model.rowsOf)).toEqual(before)
  }

  async function amend(amendments: Amendment[]) {
    const verdicts = await ledger.amend(amendments)
    expect(verdicts).toEqual(model.amend(amendments, await namesOf(ledger.db, verdicts), micros()))
    amendments.forEach(({ op }, i) => tally(`${op}: ${verdicts[i]!.kind}`))
    return verdicts
  }

  return {
    model,
    accounts,
    operationsOf,
    async run(step: Step) {
      switch (step.step) {
        case 'batch': {
          const ops = operationsOf(step.plans)
          const verdicts = await batch(ops)
          return askAgain(ops.map((op, i) => [op, verdicts[i]!] as const).slice(0, step.again))
        }
        case 'amend': {
          const amendments = step.changes.map(amendmentOf)
          await amend(amendments)
          if (step.again) await amend(amendments.filter(({ reference }) => reference !== undefined))
          return
        }
        case 'clock':
          now += step.byMs
          return clock.turnTo(new Date(now))
        case 'shortage':
          model.setShortage(accounts[step.account]!, step.shortage)
          return ledger.setShortage(accounts[step.account]!, step.shortage)
        case 'limit': {
          const { period, amount } = step
          const [accountId, keyId] = [accounts[step.account]!, keys[step.key]!]
          model.setKeyLimit(accountId, { keyId, period, amount })
          return ledger.setKeyLimit(accountId, keyId, period, amount)
        }
      }
    },
    async compare() {
      // Whatever ended meanwhile, within its reservation every completion was paid.
      for (const { cost, amount, captured } of model.books.reservations.values())
        if (cost !== null && cost <= amount) expect(captured).toBe(cost)
      expect(await rowsOf(ledger.db, accounts)).toEqual(accounts.map(model.rowsOf))
      expect(await ledger.faults(...accounts)).toEqual([])
    },
  }
}

const pick = <T>(items: readonly T[], which: number): T | undefined => items[which % items.length]
