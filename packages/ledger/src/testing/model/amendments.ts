import type { ActionId, GrantId } from '@weir/contracts'
import { type Amendment, type AmendVerdict, DEFAULT_PRIORITY } from '../../amendments.ts'
import {
  type Books,
  type Micros,
  type ModelAccount,
  type ModelEntry,
  type ModelGrant,
  accountIn,
  availableOf,
  drawPlan,
  endOf,
  grantsAt,
  heldBeforeOf,
  least,
  move,
  nextTime,
  sum,
} from './books.ts'

/** What the ledger makes up and nobody can foresee: the id of the action, and which grants its entries name, in order. */
export type Named = { actionId: ActionId; grantIds: readonly GrantId[] }
export type AmendOptions = { maxOpenGrants: number }

/** Decides a batch, one amendment after another. What they are named is by position. */
export function amendIn(
  books: Books,
  amendments: readonly Amendment[],
  names: readonly (Named | undefined)[],
  clock: Micros,
  options: AmendOptions,
): AmendVerdict[] {
  for (const { op, accountId } of amendments)
    if (op === 'grant' || op === 'adjust' || op === 'freeze') accountIn(books, accountId)
  return amendments.map((amendment, i) => amendOne(books, amendment, names[i], clock, options))
}

function amendOne(
  books: Books,
  amendment: Amendment,
  named: Named | undefined,
  clock: Micros,
  options: AmendOptions,
): AmendVerdict {
  const account = books.accounts.get(amendment.accountId)
  if (!account) return { kind: 'not_found' }
  const reference = amendment.reference ?? (amendment.op === 'expire' ? `expire:${amendment.grantId}` : null)

  const isExpiry = amendment.op === 'expire'
  const before = account.actions.find(
    (action) => reference !== null && action.reference === reference && (action.kind === 'expire') === isExpiry,
  )
  if (before) {
    const moved = before.moved < 0n ? -before.moved : before.moved
    const same = before.content === contentOf(amendment)
    return same ? { kind: 'repeated', actionId: before.id, moved } : { kind: 'conflict' }
  }
  const at = nextTime(account, clock)
  const ref = named?.actionId as ActionId
  const entriesBefore = account.entries.length
  const nextGrantId = () => named!.grantIds[account.entries.length - entriesBefore]!
  const refusal = change({ books, account, at, ref, nextGrantId, options }, amendment)
  if (refusal) return refusal

  const mine = account.entries.slice(entriesBefore)
  const moved = sum(mine.map(({ amount }) => amount))
  account.actions.push({
    id: ref,
    kind: amendment.op,
    reference,
    content: contentOf(amendment),
    moved,
    createdAt: at,
    grantId: grantOf(amendment, mine),
    completionId: amendment.op === 'refund' ? amendment.completionId : null,
  })
  Object.assign(account, { version: account.version + 1n, lastAt: at })
  return { kind: 'done', actionId: ref, moved: moved < 0n ? -moved : moved }
}

type Case = {
  books: Books
  account: ModelAccount
  at: Micros
  ref: ActionId
  nextGrantId: () => GrantId
  options: AmendOptions
}

/** Does what is asked, or says why not. */
function change(given: Case, amendment: Amendment): AmendVerdict | undefined {
  switch (amendment.op) {
    case 'grant':
      return give(given, amendment, 'grant')
    case 'adjust':
      return amendment.amount > 0n ? give(given, amendment, 'adjustment') : take(given, -amendment.amount)
    case 'revoke':
      return revoke(given, amendment.grantId)
    case 'expire':
      return expire(given, amendment.grantId)
    case 'refund':
      return refund(given, amendment)
    default:
      given.account.frozen = amendment.op === 'freeze'
  }
}

type Gift = Extract<Amendment, { op: 'grant' | 'adjust' }>

function give({ account, at, ref, nextGrantId, options }: Case, gift: Gift, kind: 'grant' | 'adjustment') {
  const expiresAt = gift.expiresAt ? BigInt(gift.expiresAt.getTime()) * 1_000n : null
  if (account.grants.filter(({ balance }) => balance > 0n).length >= options.maxOpenGrants)
    return { kind: 'too_many_grants', most: options.maxOpenGrants } as const
  if (expiresAt !== null && expiresAt <= at) return { kind: 'ended' } as const
  const { priority = DEFAULT_PRIORITY, amount } = gift
  openGrant(account, { id: nextGrantId(), kind: gift.kind, priority, expiresAt, amount, createdAt: at })
  move(account, account.grants.at(-1)!, { kind, ref, amount, createdAt: at })
}

function openGrant(account: ModelAccount, grant: Omit<ModelGrant, 'balance' | 'revokedAt'>): void {
  account.grants.push({ ...grant, balance: 0n, revokedAt: null })
}

function take({ books, account, at, ref }: Case, amount: bigint) {
  const available = availableOf(books, account, at)
  if (available < amount) return { kind: 'insufficient_credits', available } as const
  for (const { grant, part } of drawPlan(grantsAt(account, at), amount))
    move(account, grant, { kind: 'adjustment', ref, amount: -part, createdAt: at })
}

function revoke(given: Case, grantId: GrantId) {
  const grant = given.account.grants.find(({ id }) => id === grantId)
  if (!grant) return { kind: 'not_found' } as const
  if ((endOf(grant) ?? given.at + 1n) <= given.at) return { kind: 'ended' } as const
  grant.revokedAt = given.at
  forfeit(given, grant, 'revocation')
}

function expire(given: Case, grantId: GrantId) {
  const grant = given.account.grants.find(({ id }) => id === grantId)
  if (!grant) return { kind: 'not_found' } as const
  if (grant.balance === 0n) return { kind: 'ended' } as const
  if ((endOf(grant) ?? given.at + 1n) > given.at) return { kind: 'not_ended' } as const
  const wasRevoked = endOf(grant) !== grant.expiresAt
  if (!forfeit(given, grant, wasRevoked ? 'revocation' : 'expiry')) return { kind: 'waiting' } as const
}

/**
 * Takes what is left of a grant that has ended, once nothing is open of what was held at some time after its end. When
 * nothing is open of what was held at the time before, that time begins anew.
 */
function forfeit({ books, account, at, ref }: Case, grant: ModelGrant, kind: 'expiry' | 'revocation'): boolean {
  const isOld = () => account.beforeAt === null || account.beforeAt < endOf(grant)!
  if (isOld() && heldBeforeOf(books, account) === 0n) Object.assign(account, { beforeAt: at, lastAt: at })
  if (isOld() || heldBeforeOf(books, account) > 0n) return false
  if (grant.balance > 0n) move(account, grant, { kind, ref, amount: -grant.balance, createdAt: at })
  return true
}

/** The last drawn first. What came from a grant that has ended goes to a new one like it. */
function refund(given: Case, { completionId, amount }: Extract<Amendment, { op: 'refund' }>) {
  const { books, account, at, ref, nextGrantId } = given
  const completion = books.reservations.get(completionId)
  if (completion?.accountId !== account.id) return { kind: 'not_found' } as const
  const refunds = account.actions.filter((action) => action.completionId === completionId)
  const refunded = sum(refunds.map(({ moved }) => moved))
  const available = completion.captured - refunded
  const asked = amount ?? available
  if (asked > available || asked === 0n) return { kind: 'exceeds_charge', available } as const

  let [skip, rest] = [refunded, asked]
  const charges = account.entries.filter((entry) => entry.ref === completionId && entry.kind === 'charge')
  for (const charge of charges.toReversed()) {
    const skipped = least(skip, -charge.amount)
    const part = least(rest, -charge.amount - skipped)
    skip -= skipped
    rest -= part
    if (part === 0n) continue
    let grant = account.grants.find(({ id }) => id === charge.grantId)!
    if ((endOf(grant) ?? at + 1n) <= at) {
      const { kind, priority } = grant
      openGrant(account, { id: nextGrantId(), kind, priority, expiresAt: null, amount: part, createdAt: at })
      grant = account.grants.at(-1)!
    }
    move(account, grant, { kind: 'refund', ref, amount: part, createdAt: at })
  }
}

/** What must be the same for a reference to be the same. */
function contentOf(amendment: Amendment): string {
  const { op } = amendment
  const said: unknown[] = [op]
  if (op !== 'expire') said.push(amendment.reason)
  if (op === 'grant' || op === 'adjust') said.push(amendment.amount)
  if (op === 'grant' || (op === 'adjust' && amendment.amount > 0n))
    said.push(amendment.kind, amendment.priority ?? DEFAULT_PRIORITY, amendment.expiresAt?.getTime())
  if (op === 'refund') said.push(amendment.completionId, amendment.amount)
  if (op === 'revoke' || op === 'expire') said.push(amendment.grantId)
  return said.join()
}

function grantOf(amendment: Amendment, entries: ModelEntry[]): GrantId | null {
  if (amendment.op === 'revoke' || amendment.op === 'expire') return amendment.grantId
  const gave = amendment.op === 'grant' || (amendment.op === 'adjust' && amendment.amount > 0n)
  return gave ? entries[0]!.grantId : null
}
