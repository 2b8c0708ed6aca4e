import { type AccountId, ServiceError } from '@weir/contracts'

export type CountTurns = <Counted>(accountId: AccountId, count: () => Promise<Counted>) => Promise<Counted>

/** Clients count what they are about to send, a dozen prompts at once; a flood is refused. */
const MOST_PER_ACCOUNT = 32

const PAUSE_MS = 1_000

/**
 * Counting takes no credits and no rate, but time of this process: the counts of an account are taken one after another,
 * beside those of others, and more than so many at once get a 429.
 */
export function createCountTurns(mostPerAccount = MOST_PER_ACCOUNT): CountTurns {
  const lines = new Map<AccountId, { length: number; last: Promise<unknown> }>()

  return async (accountId, count) => {
    const line = lines.get(accountId) ?? { length: 0, last: Promise.resolve() }
    if (line.length >= mostPerAccount) throw tooMany(mostPerAccount)
    lines.set(accountId, line)
    line.length++
    const counted = line.last.then(count)
    // Whoever is next counts, however this one ends.
    line.last = counted.catch(() => {})
    try {
      return await counted
    } finally {
      line.length--
      if (line.length === 0) lines.delete(accountId)
    }
  }
}

const tooMany = (most: number) =>
  new ServiceError(
    'rate_limit_exceeded',
    `Rate limit reached: your account may have ${most} prompts counted at once. Please try again in 1 s.`,
    { retryAfterMs: PAUSE_MS, extra: { limit: { scope: 'account', name: 'token_counts', value: most } } },
  )
