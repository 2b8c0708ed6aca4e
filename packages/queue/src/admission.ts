import type { AccountId, CompletionId } from '@weir/contracts'
import type { Redis } from '@weir/runtime'
import { laneKeys } from './lane-keys.ts'

export type AdmissionVerdict =
  | { kind: 'admitted' }
  | { kind: 'account_full'; live: number }
  | { kind: 'lane_full'; waiting: number }

export type Admission = {
  /** Takes a place for a completion. The place frees itself after `leaseMs`, should nobody leave. */
  enter(accountId: AccountId, id: CompletionId, leaseMs: number): Promise<AdmissionVerdict>
  /** Gives the place back; leaving twice is harmless. */
  leave(accountId: AccountId, id: CompletionId): Promise<void>
}

export type AdmissionLimits = {
  /** Completions of one account, waiting or running. */
  maxLivePerAccount: number
  /** Completions waiting for a worker, over all accounts. */
  maxWaiting: number
}

/**
 * One atomic step for all replicas: places are leases in a sorted set, scored by when they end, so a replica that dies
 * holds its places no longer than its requests could have lasted. Time is Redis's own.
 */
const enterScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local live = redis.call('ZCARD', KEYS[1])
if live >= tonumber(ARGV[2]) then return {1, live} end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return {0, live}
`

export function createAdmission(redis: Redis, prefix: string, limits: AdmissionLimits): Admission {
  const { waiting } = laneKeys(prefix)
  const placesOf = (accountId: AccountId) => `${prefix}:live:{${accountId}}`
  redis.defineCommand('weirEnter', { numberOfKeys: 1, lua: enterScript })
  const scripts = redis as Redis & { weirEnter(key: string, ...args: (string | number)[]): Promise<[number, number]> }

  return {
    async enter(accountId, id, leaseMs) {
      // The depth of the lane lives in another cluster slot: two commands, one round trip. It is a fuse, not a ledger.
      const [depth, [full, live]] = await Promise.all([
        redis.llen(waiting),
        scripts.weirEnter(placesOf(accountId), id, limits.maxLivePerAccount, leaseMs),
      ])
      if (full) return { kind: 'account_full', live }
      if (depth < limits.maxWaiting) return { kind: 'admitted' }
      await redis.zrem(placesOf(accountId), id)
      return { kind: 'lane_full', waiting: depth }
    },
    async leave(accountId, id) {
      await redis.zrem(placesOf(accountId), id)
    },
  }
}
