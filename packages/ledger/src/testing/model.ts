import type { AccountId, CompletionId, GrantId, Microcredits } from '@weir/contracts'
import type { Operation } from '../operations.ts'
import type { GrantKind } from '../tables.ts'
import type { Verdict } from './ledger-fixture.ts'

type ModelGrant = { id: GrantId; accountId: AccountId; kind: GrantKind; amount: bigint; balance: bigint }
type ModelReservation = {
  id: CompletionId
  accountId: AccountId
  amount: bigint
  captured: bigint
  state: 'open' | 'settled' | 'released'
}
type ModelEntry = { kind: string; ref: string; grantId: GrantId | null; amount: bigint; balanceAfter: bigint | null }

const burnOrder: GrantKind[] = ['promotional', 'subscription', 'purchased']
const sum = (amounts: bigint[]) => amounts.reduce((total, amount) => total + amount, 0n)

/** The books as one would keep them in memory, one operation after another: what the ledger is compared with. */
export function createModel() {
  const grants: ModelGrant[] = []
  const reservations = new Map<CompletionId, ModelReservation>()
  const entries = new Map<AccountId, ModelEntry[]>()

  const grantsOf = (accountId: AccountId) => grants.filter((grant) => grant.accountId === accountId)
  const balanceOf = (accountId: AccountId) => sum(grantsOf(accountId).map(({ balance }) => balance))
  const openOf = (accountId: AccountId) =>
    [...reservations.values()].filter((held) => held.accountId === accountId && held.state === 'open')
  const heldOf = (accountId: AccountId) => sum(openOf(accountId).map(({ amount }) => amount))
  const enter = (accountId: AccountId, entry: ModelEntry) =>
    entries.set(accountId, [...(entries.get(accountId) ?? []), entry])

  function reserve(accountId: AccountId, id: CompletionId, amount: Microcredits): Verdict {
    const existing = reservations.get(id)
    if (existing)
      return { kind: existing.accountId === accountId && existing.amount === amount ? 'reserved' : 'conflict' }
    const [reserved, available] = [heldOf(accountId), balanceOf(accountId) - heldOf(accountId)]
    if (available < amount) return { kind: 'insufficient_credits', available, reserved }
    reservations.set(id, { id, accountId, amount, captured: 0n, state: 'open' })
    return { kind: 'reserved' }
  }

  function close(accountId: AccountId, id: CompletionId, cost: Microcredits, state: 'settled' | 'released'): Verdict {
    const reservation = reservations.get(id)
    if (reservation?.accountId !== accountId) return { kind: 'not_found' }
    if (reservation.state !== 'open') return { kind: 'already_closed', charged: reservation.captured }
    reservation.state = state
    const free = balanceOf(accountId) - heldOf(accountId)
    reservation.captured = cost < free ? cost : free
    draw(accountId, id, reservation.captured)
    const uncollected = cost - reservation.captured
    // An account without books has nowhere to note it.
    if (uncollected > 0n && grantsOf(accountId).length > 0)
      enter(accountId, { kind: 'uncollected', ref: id, grantId: null, amount: uncollected, balanceAfter: null })
    return { kind: 'closed', charged: reservation.captured, uncollected }
  }

  function draw(accountId: AccountId, ref: CompletionId, charge: bigint) {
    const drawable = grantsOf(accountId).sort(
      (a, b) => burnOrder.indexOf(a.kind) - burnOrder.indexOf(b.kind) || (a.id < b.id ? -1 : 1),
    )
    let rest = charge
    for (const grant of drawable) {
      const amount = rest < grant.balance ? rest : grant.balance
      if (amount === 0n) continue
      grant.balance -= amount
      rest -= amount
      enter(accountId, { kind: 'charge', ref, grantId: grant.id, amount, balanceAfter: grant.balance })
    }
  }

  return {
    give(id: GrantId, accountId: AccountId, kind: GrantKind, amount: Microcredits) {
      grants.push({ id, accountId, kind, amount, balance: amount })
      enter(accountId, { kind: 'grant', ref: id, grantId: id, amount, balanceAfter: amount })
    },
    apply(op: Operation): Verdict {
      const { accountId, completionId } = op
      if (op.kind === 'reserve') return reserve(accountId, completionId, op.amount)
      if (op.kind === 'settle') return close(accountId, completionId, op.cost, 'settled')
      return close(accountId, completionId, 0n, 'released')
    },
    rowsOf(accountId: AccountId) {
      const ofAccount = entries.get(accountId) ?? []
      return {
        balance: { balance: balanceOf(accountId), held: heldOf(accountId), sequence: BigInt(ofAccount.length) },
        grants: grantsOf(accountId).map(({ id, kind, amount, balance }) => ({ id, kind, amount, balance })),
        reservations: [...reservations.values()]
          .filter((reservation) => reservation.accountId === accountId)
          .map(({ id, amount, captured, state }) => ({ id, amount, captured, state }))
          .sort((a, b) => (a.id < b.id ? -1 : 1)),
        entries: ofAccount.map((entry, i) => ({ sequence: BigInt(i + 1), ...entry })),
      }
    },
  }
}
