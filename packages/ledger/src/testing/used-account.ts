import { type AccountId, newCompletionId, newKeyId } from '@weir/contracts'
import type { LedgerFixture } from './ledger-fixture.ts'

/** An account with every kind of entry and every state of a reservation, and a limited key. */
export async function usedAccount(ledger: LedgerFixture): Promise<AccountId> {
  const accountId = await ledger.accountWith(['promotional', 30n], ['purchased', 70n])
  const keyId = newKeyId()
  await ledger.setKeyLimit(accountId, keyId, 'day', 1_000n)
  const first = newCompletionId()
  await ledger.reserve(accountId, 20n, first, { keyId })
  await ledger.settle(accountId, first, 130n)
  await ledger.change(accountId, { op: 'refund', completionId: first, amount: 40n })
  await ledger.change(accountId, { op: 'grant', kind: 'purchased', amount: 50n, reference: 'invoice 7' })
  await ledger.change(accountId, { op: 'adjust', kind: 'purchased', amount: -5n })
  const revoked = await ledger.give(accountId, 9n)
  await ledger.change(accountId, { op: 'revoke', grantId: revoked })
  await ledger.settle(accountId, await ledger.reserved(accountId, 20n), 10n)
  await ledger.release(accountId, await ledger.reserved(accountId, 5n))
  await ledger.expire(accountId, await ledger.reserved(accountId, 5n))
  await ledger.reserve(accountId, 15n, newCompletionId(), { keyId })
  return accountId
}
