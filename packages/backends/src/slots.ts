import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from '@weir/runtime'
import { abortErrorOf } from './backend-errors.ts'

/** A worker that dies gives its slots back by silence, after this long. */
const LEASE_MS = 15_000
const FIRST_POLL_MS = 20
const LONGEST_POLL_MS = 250

export type SlotRequest = { backend: string; attempt: string; limit: number }

/** The concurrency of a backend over all workers: leases in Redis that expire unless they are renewed. */
export type Slots = {
  /** How often `renew` must be called for a lease to last. */
  renewEveryMs: number
  /** Waits for a free slot, until the signal is aborted: then it throws why. Asking again for a held slot renews it. */
  acquire(request: SlotRequest, signal: AbortSignal): Promise<void>
  /** States that the attempt still runs. It counts again even if its lease had expired: the call is a fact. */
  renew(request: Omit<SlotRequest, 'limit'>): Promise<void>
  /** Gives the slot back; nothing happens when it is not held. */
  release(request: Omit<SlotRequest, 'limit'>): Promise<void>
  /** How many are held now. */
  held(backend: string): Promise<number>
}

// One sorted set per backend: a member for each attempt, scored with the time its lease ends. The clock is that of
// Redis, since workers' clocks differ. The key itself outlives its last lease by nothing.
const now = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`

const lease = `redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`

const acquireScript = `${now}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local holds = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not holds and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
${lease}`

const heldScript = `${now}
return redis.call('ZCOUNT', KEYS[1], '(' .. now, '+inf')`

const renewScript = `${now}
${lease}`

type SlotCommands = Redis & {
  weirAcquireSlot(key: string, attempt: string, leaseMs: number, limit: number): Promise<0 | 1>
  weirRenewSlot(key: string, attempt: string, leaseMs: number): Promise<1>
}

export function createSlots(redis: Redis, prefix: string, { leaseMs = LEASE_MS } = {}): Slots {
  redis.defineCommand('weirAcquireSlot', { numberOfKeys: 1, lua: acquireScript })
  redis.defineCommand('weirRenewSlot', { numberOfKeys: 1, lua: renewScript })
  const commands = redis as SlotCommands
  const keyOf = (backend: string) => `${prefix}:slots:{${backend}}`

  return {
    renewEveryMs: Math.ceil(leaseMs / 3),
    async acquire({ backend, attempt, limit }, signal) {
      for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(pollMs * 1.5, LONGEST_POLL_MS)) {
        if (signal.aborted) throw abortErrorOf(signal)
        if ((await commands.weirAcquireSlot(keyOf(backend), attempt, leaseMs, limit)) === 1) return
        // Jitter keeps the waiters of many workers from asking all at once. An abort only ends the wait early.
        await delay(pollMs * (0.5 + Math.random()), undefined, { signal }).catch(() => {})
      }
    },
    async renew({ backend, attempt }) {
      await commands.weirRenewSlot(keyOf(backend), attempt, leaseMs)
    },
    async release({ backend, attempt }) {
      await redis.zrem(keyOf(backend), attempt)
    },
    held: async (backend) => Number(await redis.eval(heldScript, 1, keyOf(backend))),
  }
}
