import type { Redis } from '@weir/runtime'
import type { LaneKeys } from './lane-keys.ts'

/** How fast workers take completions from the lane. */
export type Pace = {
  /** Completions that all workers together run at once. */
  slots: number
  /** How long a worker is busy with one, on average; undefined while nobody knows. */
  meanMs: number | undefined
}

/** A worker that is not heard for so long is taken to be gone. */
const LEASE_MS = 5_000
/** One read, by all who ask for it within this time. */
const FRESH_MS = 1_000

// A field for each worker: when its word ends, its slots and its mean. Workers are few: whoever speaks sweeps.
const now = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function read(report) return string.match(report, '^(%S+) (%S+) (%S+)$') end`

const announceScript = `${now}
redis.call('HSET', KEYS[1], ARGV[1], now + ARGV[4] .. ' ' .. ARGV[2] .. ' ' .. ARGV[3])
local reports = redis.call('HGETALL', KEYS[1])
for i = 1, #reports, 2 do
  local ends = read(reports[i + 1])
  if tonumber(ends) <= now then redis.call('HDEL', KEYS[1], reports[i]) end
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1`

const paceScript = `${now}
local slots, known, weighted = 0, 0, 0
for _, report in ipairs(redis.call('HVALS', KEYS[1])) do
  local ends, some, mean = read(report)
  if tonumber(ends) > now then
    slots = slots + some
    if tonumber(mean) > 0 then known, weighted = known + some, weighted + some * mean end
  end
end
return { slots, known > 0 and math.ceil(weighted / known) or 0 }`

type PaceCommands = Redis & {
  weirAnnounceWorker(key: string, worker: string, slots: number, meanMs: number, leaseMs: number): Promise<1>
  weirPace(key: string): Promise<[slots: number, meanMs: number]>
}

/** A worker's word on its slots; said again within `LEASE_MS`, or it is void. */
export function createWorkerReports(redis: Redis, { workers }: LaneKeys) {
  redis.defineCommand('weirAnnounceWorker', { numberOfKeys: 1, lua: announceScript })
  const commands = redis as PaceCommands
  return {
    async announce(worker: string, { slots, meanMs }: Pace): Promise<void> {
      await commands.weirAnnounceWorker(workers, worker, slots, Math.ceil(meanMs ?? 0), LEASE_MS)
    },
    async withdraw(worker: string): Promise<void> {
      await redis.hdel(workers, worker)
    },
  }
}

/** Reads the pace at most once a second, however often it is asked for. */
export function createPaceReader(redis: Redis, { workers }: LaneKeys, freshMs = FRESH_MS): () => Promise<Pace> {
  redis.defineCommand('weirPace', { numberOfKeys: 1, lua: paceScript })
  const commands = redis as PaceCommands
  let latest: { pace: Promise<Pace>; at: number } | undefined

  async function readNow(): Promise<Pace> {
    const [slots, meanMs] = await commands.weirPace(workers)
    return { slots, meanMs: meanMs === 0 ? undefined : meanMs }
  }

  return () => {
    if (latest && performance.now() - latest.at < freshMs) return latest.pace
    const reading = { pace: readNow(), at: performance.now() }
    latest = reading
    // What failed is not remembered: the next one asks again.
    reading.pace.catch(() => {
      if (latest === reading) latest = undefined
    })
    return reading.pace
  }
}

/** How long the last of `waiting` completions waits for a worker; undefined while nobody can tell. */
export function estimatedWaitMs(waiting: number, { slots, meanMs }: Pace): number | undefined {
  if (slots === 0 || meanMs === undefined) return undefined
  return Math.ceil((waiting * meanMs) / slots)
}
