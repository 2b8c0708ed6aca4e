import {
  type AccountId,
  type CompletionId,
  type GrantId,
  type KeyId,
  type Microcredits,
  newCompletionId,
  newKeyId,
} from '@weir/contracts'
import type { Change, NewGrant } from '../amendments.ts'
import type { Ledger } from '../ledger.ts'
import type { Reserve } from '../operations.ts'

type Told = Promise<{ kind: string }>
type Clock = { turnTo(at: Date): Promise<void> }

/** What the books of a test can do, as far as it is needed here. */
type Books = Pick<Ledger, 'setKeyLimit' | 'setShortage'> & {
  accountWith(grant: ['subscription', Microcredits]): Promise<AccountId>
  give(accountId: AccountId, amount: Microcredits, more?: Partial<NewGrant>): Promise<GrantId>
  change(accountId: AccountId, what: Change): Told
  reserve(
    accountId: AccountId,
    quote: Microcredits,
    completionId: CompletionId,
    more: Pick<Reserve, 'least' | 'keyId'>,
  ): Told
  extend(accountId: AccountId, completionId: CompletionId, amount: Microcredits): Told
  settle(accountId: AccountId, completionId: CompletionId, cost: Microcredits): Told
  release(accountId: AccountId, completionId: CompletionId): Told
  expire(accountId: AccountId, completionId: CompletionId): Told
}

/** An account to which everything has happened that can, and what a test may put its finger on. */
export type UsedAccount = {
  accountId: AccountId
  keyId: KeyId
  /** Still holds credits. */
  grant: GrantId
  /** Was drawn to nothing. */
  drained: GrantId
  settled: CompletionId
  uncollected: CompletionId
  released: CompletionId
  open: CompletionId
}

/** So many of them, in books whose clock was taken and shows `begin`. */
export async function useAccounts(ledger: Books, clock: Clock, begin: Date, count: number): Promise<UsedAccount[]> {
  const promotionEndsAt = new Date(begin.getTime() + 60_000)
  const goOn = await Promise.all(Array.from({ length: count }, () => useAccount(ledger, promotionEndsAt)))
  await clock.turnTo(promotionEndsAt)
  return Promise.all(goOn.map((next) => next()))
}

/** What happens to an account before its promotional credits end, and then what happens after. */
async function useAccount(ledger: Books, promotionEndsAt: Date): Promise<() => Promise<UsedAccount>> {
  const accountId = await ledger.accountWith(['subscription', 50n])
  const promotion = await ledger.give(accountId, 30n, { kind: 'promotional', expiresAt: promotionEndsAt })
  const drained = await ledger.give(accountId, 1_000n)
  const keyId = newKeyId()
  await ledger.setKeyLimit(accountId, keyId, 'day', 5_000n)
  await ledger.setKeyLimit(accountId, keyId, 'month', 50_000n)
  await ledger.setKeyLimit(accountId, keyId, 'total', 500_000n)

  const reserve = async (amount: bigint) => {
    const completionId = newCompletionId()
    await expectKind('reserved', ledger.reserve(accountId, amount, completionId, { keyId }))
    return completionId
  }
  const change = (kind: string, what: Change) => expectKind(kind, ledger.change(accountId, what))
  const settle = (id: CompletionId, cost: bigint) => expectKind('closed', ledger.settle(accountId, id, cost))
  const promoted = await reserve(10n)
  await settle(promoted, 10n)
  const early = await reserve(5n)

  return async () => {
    // What was reserved before the end is paid from it, and only then the rest is taken.
    await change('waiting', { op: 'expire', grantId: promotion })
    await settle(early, 5n)
    await change('done', { op: 'expire', grantId: promotion })
    await change('done', { op: 'refund', completionId: promoted })

    const uncollected = await reserve(10n)
    await settle(uncollected, 10_000n)
    const grant = await ledger.give(accountId, 2_000n)
    await change('done', { op: 'refund', completionId: uncollected, amount: 40n })
    const settled = await reserve(100n)
    await expectKind('extended', ledger.extend(accountId, settled, 150n))
    await settle(settled, 120n)
    const released = await reserve(10n)
    await expectKind('closed', ledger.release(accountId, released))
    await expectKind('closed', ledger.expire(accountId, await reserve(10n)))

    await change('done', { op: 'adjust', kind: 'promotional', amount: 60n })
    await change('done', { op: 'adjust', kind: 'promotional', amount: -30n })
    await change('done', { op: 'freeze' })
    await change('done', { op: 'unfreeze' })
    await ledger.setShortage(accountId, 'clamp')
    const clamped = newCompletionId()
    await expectKind('reserved', ledger.reserve(accountId, 1_000_000n, clamped, { least: 1n }))
    await expectKind('closed', ledger.release(accountId, clamped))

    await change('done', { op: 'revoke', grantId: await ledger.give(accountId, 20n) })
    const waiting = await ledger.give(accountId, 20n)
    const holding = await reserve(5n)
    await change('done', { op: 'revoke', grantId: waiting })
    await settle(holding, 5n)
    await change('done', { op: 'expire', grantId: waiting })
    const open = await reserve(25n)
    await change('done', { op: 'revoke', grantId: await ledger.give(accountId, 20n) })
    await reserve(15n)
    return { accountId, keyId, grant, drained, settled, uncollected, released, open }
  }
}

async function expectKind(kind: string, verdict: Told): Promise<void> {
  const told = await verdict
  if (told.kind !== kind) throw new Error(`the ledger said ${told.kind} where ${kind} was expected`)
}
