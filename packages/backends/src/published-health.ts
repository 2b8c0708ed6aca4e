import { type ErrorCode, isErrorCode } from '@weir/contracts'
import { type Redis, repeat } from '@weir/runtime'
import { z } from 'zod'
import type { TargetHealth, TargetStanding } from './target-health.ts'

const PUBLISH_EVERY_MS = 2_000
/** A worker that has said nothing for so long is not there. */
const FORGET_MS = 10_000

/** How the targets do, as one worker sees it. */
export type WorkerStanding = { worker: string; targets: TargetStanding[] }

const Standing: z.ZodType<TargetStanding> = z.object({
  target: z.string(),
  breaker: z.enum(['closed', 'open', 'half_open']),
  successes: z.int(),
  failures: z.int(),
  lastError: z
    .object({ code: z.custom<ErrorCode>((code) => typeof code === 'string' && isErrorCode(code)), at: z.number() })
    .optional(),
})

// What each worker said last, and when, by the clock of Redis. Two keys of one slot, which outlive the last worker by nothing.
const now = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`

const forget = `for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - ${FORGET_MS})) do
  redis.call('ZREM', KEYS[2], gone)
  redis.call('HDEL', KEYS[1], gone)
end`

const publishScript = `${now}
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], now, ARGV[1])
${forget}
redis.call('PEXPIRE', KEYS[1], ${FORGET_MS})
redis.call('PEXPIRE', KEYS[2], ${FORGET_MS})
return 1`

const readScript = `${now}
${forget}
return redis.call('HGETALL', KEYS[1])`

const leaveScript = `redis.call('ZREM', KEYS[2], ARGV[1])
return redis.call('HDEL', KEYS[1], ARGV[1])`

const keysOf = (prefix: string): [said: string, when: string] => [
  `${prefix}:{targets}:standings`,
  `${prefix}:{targets}:workers`,
]

/** Tells again and again how this worker's targets do, until it leaves. */
export function publishHealth(
  redis: Redis,
  prefix: string,
  worker: string,
  health: Pick<TargetHealth, 'standings'>,
  onError: (error: unknown) => void,
): AsyncDisposable {
  const keys = keysOf(prefix)
  const publish = async () =>
    void (await redis.eval(publishScript, 2, ...keys, worker, JSON.stringify(health.standings())))
  const publishing = repeat(PUBLISH_EVERY_MS, publish, onError)
  return {
    async [Symbol.asyncDispose]() {
      await publishing[Symbol.asyncDispose]()
      await redis.eval(leaveScript, 2, ...keys, worker).catch(onError)
    },
  }
}

/** What the workers that are there have said last, by name. What a newer or older one says in other words is left out. */
export async function readHealth(redis: Redis, prefix: string): Promise<WorkerStanding[]> {
  const rows = (await redis.eval(readScript, 2, ...keysOf(prefix))) as string[]
  const standings: WorkerStanding[] = []
  for (let i = 0; i < rows.length; i += 2) {
    const targets = z.array(Standing).safeParse(JSON.parse(rows[i + 1]!))
    if (targets.success) standings.push({ worker: rows[i]!, targets: targets.data })
  }
  return standings.toSorted((one, other) => (one.worker < other.worker ? -1 : 1))
}
