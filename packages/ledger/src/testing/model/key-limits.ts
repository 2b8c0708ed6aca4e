import type { AccountId, KeyId } from '@weir/contracts'
import type { LimitPeriod } from '../../tables.ts'
import { type Books, type Micros, sum } from './books.ts'

export const periods: readonly LimitPeriod[] = ['day', 'month', 'total']

/** When the period began that a time lies in, in UTC. */
export function periodStart(period: LimitPeriod, at: Micros): Micros | null {
  if (period === 'total') return null
  const day = new Date(Number(at / 1_000n))
  const start = Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), period === 'day' ? day.getUTCDate() : 1)
  return BigInt(start) * 1_000n
}

/** What counts against the limit of a key: each reservation in the period it was made in. */
export function spendOf(
  books: Books,
  accountId: AccountId,
  keyId: KeyId,
  period: LimitPeriod,
  startsAt: Micros | null,
): { held: bigint; spent: bigint } {
  const counted = [...books.reservations.values()].filter(
    (reservation) =>
      reservation.accountId === accountId &&
      reservation.keyId === keyId &&
      reservation.counted.includes(period) &&
      periodStart(period, reservation.createdAt) === startsAt,
  )
  return {
    held: sum(counted.filter(({ state }) => state === 'open').map(({ amount }) => amount)),
    spent: sum(counted.map(({ captured }) => captured)),
  }
}

/** All that stands in the books of an account about its limited keys. */
export function spendsOf(books: Books, accountId: AccountId) {
  const spends = new Map<string, { keyId: KeyId; period: LimitPeriod; startsAt: Micros | null }>()
  for (const { keyId, counted, createdAt, ...reservation } of books.reservations.values()) {
    if (keyId === null || reservation.accountId !== accountId) continue
    for (const period of counted) {
      const startsAt = periodStart(period, createdAt)
      spends.set(`${keyId} ${period} ${startsAt}`, { keyId, period, startsAt })
    }
  }
  return [...spends.values()].map((spend) => {
    const { keyId, period, startsAt } = spend
    return { ...spend, ...spendOf(books, accountId, keyId, period, startsAt) }
  })
}
