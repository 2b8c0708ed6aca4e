import type { Extend, Operation, Release, Reserve, Settle } from '../../operations.ts'
import type { LimitPeriod } from '../../tables.ts'
import type { Verdict } from '../lanes.ts'
import {
  type Books,
  type Micros,
  type ModelAccount,
  type ModelReservation,
  accountIn,
  atLeastZero,
  availableOf,
  drawPlan,
  endOf,
  grantsAt,
  heldOf,
  least,
  move,
  nextTime,
  spendableOf,
  sum,
} from './books.ts'
import { periodStart, periods, spendOf } from './key-limits.ts'

/** Decides a batch, one operation after another. All of an account's operations are done at one time. */
export function applyBatchTo(books: Books, ops: readonly Operation[], clock: Micros): Verdict[] {
  const times = new Map<ModelAccount | undefined, Micros>()
  const changed = new Set<ModelAccount>()
  const verdicts = ops.map((op) => {
    const account = books.accounts.get(op.accountId)
    const at = times.get(account) ?? nextTime(account, clock)
    times.set(account, at)
    const { verdict, wrote } = decide({ books, account, at }, op)
    if (account && wrote) changed.add(account)
    return verdict
  })
  // What a free completion comes to cost must be booked, so its account gets a row.
  ops.forEach(({ kind, accountId }, i) => {
    if (kind === 'reserve' && verdicts[i]!.kind === 'reserved') accountIn(books, accountId)
  })
  for (const account of changed) {
    account.version += 1n
    account.lastAt = times.get(account)!
  }
  return verdicts
}

/** The books, the account in them if it is there, and the time. */
type Case = { books: Books; account: ModelAccount | undefined; at: Micros }
type Decision = { verdict: Verdict; wrote: boolean }
const refuse = (verdict: Verdict): Decision => ({ verdict, wrote: false })

function decide(given: Case, op: Operation): Decision {
  const existing = given.books.reservations.get(op.completionId)
  if (op.kind === 'reserve') return reserve(given, existing, op)
  if (existing?.accountId !== op.accountId) return refuse({ kind: 'not_found' })
  return op.kind === 'extend' ? extend(given, existing, op) : close(given, existing, op)
}

function reserve(given: Case, existing: ModelReservation | undefined, op: Reserve): Decision {
  if (existing) {
    const same = existing.accountId === op.accountId && existing.quote === op.quote
    return refuse(same ? { kind: 'reserved', amount: existing.amount } : { kind: 'conflict' })
  }
  const { books, account, at } = given
  const limits = account?.limits.filter(({ keyId }) => keyId === op.keyId).map(({ period }) => period) ?? []
  const enough = account?.shortage === 'clamp' ? least(op.least ?? op.quote, op.quote) : op.quote
  const room = { keyId: op.keyId, counted: periods.filter((period) => limits.includes(period)), since: at }
  const admitted = admit(given, { asked: op.quote, enough, ...room, mayBeFrozen: false })
  if (admitted.kind !== 'admitted') return refuse(admitted)
  books.reservations.set(op.completionId, {
    id: op.completionId,
    accountId: op.accountId,
    keyId: op.keyId ?? null,
    counted: room.counted,
    quote: op.quote,
    amount: admitted.amount,
    state: 'open',
    cost: null,
    captured: 0n,
    createdAt: at,
    closedAt: null,
  })
  return { verdict: { kind: 'reserved', amount: admitted.amount }, wrote: true }
}

function extend(given: Case, reservation: ModelReservation, op: Extend): Decision {
  if (reservation.state !== 'open') return refuse({ kind: 'already_closed' })
  const asked = atLeastZero((op.amount ?? 0n) - reservation.amount)
  const { keyId, counted, createdAt: since } = reservation
  const room = { keyId: keyId ?? undefined, counted, since }
  const admitted = admit(given, { asked, enough: asked, ...room, mayBeFrozen: asked === 0n })
  if (admitted.kind !== 'admitted') return refuse(admitted)
  reservation.amount += admitted.amount
  return { verdict: { kind: 'extended', amount: reservation.amount }, wrote: true }
}

type Wish = {
  asked: bigint
  enough: bigint
  keyId: Reserve['keyId']
  counted: LimitPeriod[]
  since: Micros
  mayBeFrozen: boolean
}
type Admission = { kind: 'admitted'; amount: bigint } | Extract<Verdict, { kind: Refusal }>
type Refusal = 'insufficient_credits' | 'key_limit_exceeded' | 'account_frozen'

/** How much more may be set aside: as much as is asked for, or as there is when that is enough. */
function admit({ books, account, at }: Case, wish: Wish): Admission {
  if (account?.frozen && !wish.mayBeFrozen) return { kind: 'account_frozen' }
  const available = account ? availableOf(books, account, at) : 0n
  if (available < wish.enough)
    return { kind: 'insufficient_credits', available, reserved: account ? heldOf(books, account.id) : 0n }

  let amount = least(wish.asked, available)
  let tightest: { period: LimitPeriod; left: bigint } | undefined
  for (const period of wish.counted) {
    const limit = account?.limits.find((limit) => limit.keyId === wish.keyId && limit.period === period)
    if (!limit) continue
    const { held, spent } = spendOf(books, account!.id, limit.keyId, period, periodStart(period, wish.since))
    const left = atLeastZero(limit.amount - held - spent)
    if (left < (tightest?.left ?? wish.asked)) tightest = { period, left }
    amount = least(amount, left)
  }
  if (tightest && tightest.left < wish.enough)
    return { kind: 'key_limit_exceeded', period: tightest.period, available: tightest.left }
  return { kind: 'admitted', amount }
}

const endStates = { settle: 'settled', release: 'released', expire: 'expired' } as const

function close({ books, account, at }: Case, reservation: ModelReservation, op: Settle | Release): Decision {
  const { captured, cost } = reservation
  if (reservation.state !== 'open')
    return refuse({ kind: 'already_closed', charged: captured, uncollected: cost! - captured })
  Object.assign(reservation, { state: endStates[op.kind], closedAt: at, cost: op.kind === 'settle' ? op.cost : 0n })
  if (account) charge(books, account, reservation, at)
  const uncollected = reservation.cost! - reservation.captured
  return { verdict: { kind: 'closed', charged: reservation.captured, uncollected }, wrote: true }
}

/**
 * Pays within the reservation from every grant that had not ended when it was made; above it, only what is free then and
 * what its key may still spend.
 */
function charge(books: Books, account: ModelAccount, reservation: ModelReservation, at: Micros): void {
  const cost = reservation.cost!
  const drawable = grantsAt(account, reservation.createdAt)
  const within = least(cost, reservation.amount)
  const taken = drawPlan(drawable, within).filter(({ grant }) => (endOf(grant) ?? at + 1n) > at)
  const left = spendableOf(account, at) - sum(taken.map(({ part }) => part))
  const free = left - heldOf(books, account.id)
  const rooms = roomsOf(books, account, reservation).map((room) => room - within)
  reservation.captured = within + atLeastZero([free, ...rooms].reduce(least, cost - within))

  const of = { ref: reservation.id, createdAt: at }
  for (const { grant, part } of drawPlan(drawable, reservation.captured))
    move(account, grant, { kind: 'charge', amount: -part, ...of })
  const uncollected = cost - reservation.captured
  if (uncollected > 0n)
    account.entries.push({ kind: 'uncollected', grantId: null, amount: -uncollected, balanceAfter: null, ...of })
}

/** What its key may still spend by each of the limits that a reservation counts against. */
function roomsOf(books: Books, account: ModelAccount, { keyId, counted, createdAt }: ModelReservation): bigint[] {
  const limits = account.limits.filter((limit) => limit.keyId === keyId && counted.includes(limit.period))
  return limits.map(({ amount, period }) => {
    const { held, spent } = spendOf(books, account.id, keyId!, period, periodStart(period, createdAt))
    return amount - held - spent
  })
}
