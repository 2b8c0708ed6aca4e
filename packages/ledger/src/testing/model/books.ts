import type { AccountId, ActionId, CompletionId, GrantId, KeyId } from '@weir/contracts'
import type { ActionKind, EntryKind, GrantKind, LimitPeriod, ReservationState, Shortage } from '../../tables.ts'

/** A time in microseconds, as fine as Postgres has it; null stands for the beginning of time. */
export type Micros = bigint

export type ModelGrant = {
  id: GrantId
  kind: GrantKind
  priority: number
  expiresAt: Micros | null
  amount: bigint
  balance: bigint
  revokedAt: Micros | null
  createdAt: Micros
}
export type ModelReservation = {
  id: CompletionId
  accountId: AccountId
  keyId: KeyId | null
  quote: bigint
  amount: bigint
  counted: LimitPeriod[]
  state: ReservationState
  cost: bigint | null
  captured: bigint
  createdAt: Micros
  closedAt: Micros | null
}
export type ModelEntry = {
  kind: EntryKind
  ref: CompletionId | ActionId
  grantId: GrantId | null
  amount: bigint
  balanceAfter: bigint | null
  createdAt: Micros
}
export type ModelAction = {
  id: ActionId
  kind: ActionKind
  /** Null where none was said. */
  reference: string | null
  /** All that was asked for and must be the same when it is asked again. */
  content: string
  grantId: GrantId | null
  completionId: CompletionId | null
  moved: bigint
  createdAt: Micros
}
export type ModelLimit = { keyId: KeyId; period: LimitPeriod; amount: bigint }
export type ModelAccount = {
  id: AccountId
  grants: ModelGrant[]
  entries: ModelEntry[]
  actions: ModelAction[]
  limits: ModelLimit[]
  frozen: boolean
  shortage: Shortage
  /** When the count began of what was held by then: see `ledger.forfeit`. */
  beforeAt: Micros | null
  lastAt: Micros | null
  version: bigint
}

/** The books as one would keep them in memory. What can be derived is derived, and kept nowhere. */
export type Books = { accounts: Map<AccountId, ModelAccount>; reservations: Map<CompletionId, ModelReservation> }

export const sum = (amounts: readonly bigint[]) => amounts.reduce((total, amount) => total + amount, 0n)
export const least = (a: bigint, b: bigint) => (a < b ? a : b)
export const atLeastZero = (a: bigint) => (a < 0n ? 0n : a)

/** The account as it is in the books, from now on at the latest. */
export function accountIn(books: Books, id: AccountId): ModelAccount {
  const known = books.accounts.get(id)
  if (known) return known
  const account: ModelAccount = {
    id,
    grants: [],
    entries: [],
    actions: [],
    limits: [],
    frozen: false,
    shortage: 'refuse',
    beforeAt: null,
    lastAt: null,
    version: 0n,
  }
  books.accounts.set(id, account)
  return account
}

/** What time an operation on an account is done at: never the same twice and never earlier than before. */
export function nextTime(account: ModelAccount | undefined, clock: Micros): Micros {
  const earliest = account?.lastAt == null ? clock : account.lastAt + 1n
  return earliest > clock ? earliest : clock
}

export const openOf = (books: Books, id: AccountId) =>
  [...books.reservations.values()].filter((held) => held.accountId === id && held.state === 'open')
export const balanceOf = (account: ModelAccount) => sum(account.grants.map(({ balance }) => balance))
export const heldOf = (books: Books, id: AccountId) => sum(openOf(books, id).map(({ amount }) => amount))

/** Of what is held: how much was reserved before the present count began. */
export function heldBeforeOf(books: Books, { id, beforeAt }: ModelAccount): bigint {
  const early = openOf(books, id).filter(({ createdAt }) => beforeAt !== null && createdAt < beforeAt)
  return sum(early.map(({ amount }) => amount))
}

/** When a grant ends: by its expiry or because it was revoked. */
export function endOf({ expiresAt, revokedAt }: ModelGrant): Micros | null {
  if (expiresAt === null || revokedAt === null) return expiresAt ?? revokedAt
  return least(expiresAt, revokedAt)
}

/** The grants that have not ended at a time, in the order they are drawn. */
export function grantsAt(account: ModelAccount, at: Micros): ModelGrant[] {
  return account.grants.filter((grant) => (endOf(grant) ?? at + 1n) > at).sort(byBurnOrder)
}

const kinds: GrantKind[] = ['promotional', 'subscription', 'purchased']
const forEver = 2n ** 63n

function byBurnOrder(a: ModelGrant, b: ModelGrant): number {
  const expiry = (a.expiresAt ?? forEver) - (b.expiresAt ?? forEver)
  return (
    a.priority - b.priority ||
    (expiry < 0n ? -1 : expiry > 0n ? 1 : 0) ||
    kinds.indexOf(a.kind) - kinds.indexOf(b.kind) ||
    (a.id < b.id ? -1 : 1)
  )
}

export const spendableOf = (account: ModelAccount, at: Micros) =>
  sum(grantsAt(account, at).map(({ balance }) => balance))

/** What a new reservation may have: what unexpired grants hold beyond all that is reserved. */
export const availableOf = (books: Books, account: ModelAccount, at: Micros) =>
  atLeastZero(spendableOf(account, at) - heldOf(books, account.id))

/** How much of an amount comes from which of these grants, one after another. */
export function drawPlan(grants: readonly ModelGrant[], amount: bigint): { grant: ModelGrant; part: bigint }[] {
  let rest = amount
  const plan = grants.map((grant) => {
    const part = least(rest, grant.balance)
    rest -= part
    return { grant, part }
  })
  if (rest > 0n) throw new Error(`the model lacks ${rest} microcredits`)
  return plan.filter(({ part }) => part > 0n)
}

/** Moves credits into (positive) or out of (negative) a grant. */
export function move(
  account: ModelAccount,
  grant: ModelGrant,
  entry: Pick<ModelEntry, 'kind' | 'ref' | 'amount' | 'createdAt'>,
): void {
  grant.balance += entry.amount
  account.entries.push({ ...entry, grantId: grant.id, balanceAfter: grant.balance })
}
