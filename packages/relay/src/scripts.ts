import type { Redis } from '@weir/runtime'

/*
 * The life of a completion in Redis, each step atomic. KEYS[1] is its state, KEYS[2] its frames.
 *
 * Fields of the state:
 *   job       what to run (CompletionJob)          reply_to  channel of the replica that waits
 *   deadline  ms since the epoch                   stream    1 when frames are shown as they come
 *   epoch     fencing token of the newest attempt  attempts  how often it was claimed
 *   worker    control channel of that attempt      sequence  of the newest frame
 *   cancelled set once somebody asked for it
 *   prepared  the outcome, decided but not yet settled in Postgres
 *   outcome   the terminal record, settled
 */

/** Unknown to Redis: written. Known: left alone. ARGV: job, reply_to, deadline, stream, epoch to start from, ttl. */
const submit = `
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'job', ARGV[1], 'reply_to', ARGV[2], 'deadline', ARGV[3], 'stream', ARGV[4],
  'epoch', ARGV[5], 'attempts', 0, 'sequence', 0)
redis.call('PEXPIRE', KEYS[1], ARGV[6])
return 1
`

/**
 * Starts an attempt. Whatever the answer, unless it has ended, the epoch rises: no earlier attempt is heard any more.
 * Time is Redis's own. ARGV: control channel of the worker, most attempts.
 */
const claim = `
local s = redis.call('HMGET', KEYS[1], 'job', 'outcome', 'prepared', 'cancelled', 'deadline', 'stream', 'sequence', 'attempts')
if s[2] then return {'ended'} end
if not s[1] then return {'missing'} end
if s[3] then return {'prepared', 0, s[1], s[3]} end
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
local time = redis.call('TIME')
if s[4] then return {'cancelled', epoch, s[1]} end
if time[1] * 1000 + time[2] / 1000 > tonumber(s[5]) then return {'expired', epoch, s[1]} end
if s[6] == '1' and tonumber(s[7]) > 0 then return {'interrupted', epoch, s[1]} end
if tonumber(s[8]) >= tonumber(ARGV[2]) then return {'exhausted', epoch, s[1]} end
local attempt = redis.call('HINCRBY', KEYS[1], 'attempts', 1)
redis.call('HSET', KEYS[1], 'worker', ARGV[1])
return {'claimed', epoch, s[1], attempt}
`

/** Lets go of a completion that has to wait, so that it can be cancelled meanwhile. ARGV: epoch, attempts to take back. */
const letGo = `
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
redis.call('HINCRBY', KEYS[1], 'attempts', 0 - ARGV[2])
redis.call('HDEL', KEYS[1], 'worker')
return 1
`

/**
 * Appends one frame and shows it to whoever waits; a frame that was written before is not written again, so that one
 * whose reply was lost may be repeated. ARGV: epoch, sequence, payload, id. Returns 1, -1 stale, -2 cancelled.
 */
const emit = `
local s = redis.call('HMGET', KEYS[1], 'epoch', 'cancelled', 'prepared', 'outcome', 'reply_to', 'sequence')
if s[1] ~= ARGV[1] or s[3] or s[4] then return -1 end
if s[2] then return -2 end
if tonumber(s[6]) >= tonumber(ARGV[2]) then return 1 end
local at = ARGV[1] .. '-' .. ARGV[2]
redis.call('XADD', KEYS[2], at, 'f', ARGV[3])
if ARGV[2] == '1' then redis.call('PEXPIRE', KEYS[2], math.max(1, redis.call('PTTL', KEYS[1]))) end
redis.call('HSET', KEYS[1], 'sequence', ARGV[2])
redis.call('PUBLISH', s[5], 'frame\\n' .. ARGV[4] .. '\\n' .. at .. '\\n' .. ARGV[3])
return 1
`

/**
 * Decides the outcome, once: the first one stands, and everybody who finishes this completion settles that one.
 * ARGV: epoch, outcome. Returns what stands, or nothing for a stale epoch.
 */
const prepare = `
local s = redis.call('HMGET', KEYS[1], 'epoch', 'prepared', 'outcome')
if s[3] then return {s[3]} end
if s[2] then return {s[2]} end
if s[1] ~= ARGV[1] then return {} end
redis.call('HSET', KEYS[1], 'prepared', ARGV[2])
return {ARGV[2]}
`

/** Writes the terminal record and shows it to whoever waits. ARGV: outcome, retention, id. */
const conclude = `
local s = redis.call('HMGET', KEYS[1], 'outcome', 'reply_to', 'epoch', 'sequence')
if s[1] or not s[2] then return 0 end
redis.call('HSET', KEYS[1], 'outcome', ARGV[1])
redis.call('HDEL', KEYS[1], 'job', 'prepared', 'worker')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
redis.call('PUBLISH', s[2], 'end\\n' .. ARGV[3] .. '\\n' .. s[3] .. '-' .. s[4] .. '\\n' .. ARGV[1])
return 1
`

/**
 * Cancels: one that nobody has claimed is decided here and now, a running one is told. ARGV: id, outcome of the former.
 */
const cancel = `
local s = redis.call('HMGET', KEYS[1], 'job', 'prepared', 'outcome', 'worker', 'attempts')
if s[2] or s[3] then return {'ending'} end
if not s[1] then return {'missing'} end
redis.call('HSET', KEYS[1], 'cancelled', 1)
if s[4] then
  redis.call('PUBLISH', s[4], ARGV[1])
  return {'running'}
end
redis.call('HSET', KEYS[1], 'prepared', ARGV[2])
return {'decided', s[1]}
`

const scripts = {
  weirSubmit: { lua: submit, keys: 1 },
  weirClaim: { lua: claim, keys: 1 },
  weirLetGo: { lua: letGo, keys: 1 },
  weirEmit: { lua: emit, keys: 2 },
  weirPrepare: { lua: prepare, keys: 1 },
  weirConclude: { lua: conclude, keys: 2 },
  weirCancel: { lua: cancel, keys: 1 },
} as const

type Arguments = (string | number)[]
export type ScriptedRedis = Redis & {
  weirSubmit(state: string, ...args: Arguments): Promise<0 | 1>
  weirClaim(
    state: string,
    ...args: Arguments
  ): Promise<[kind: string, epoch?: number, job?: string, more?: string | number]>
  weirLetGo(state: string, ...args: Arguments): Promise<0 | 1>
  weirEmit(state: string, frames: string, ...args: Arguments): Promise<1 | -1 | -2>
  weirPrepare(state: string, ...args: Arguments): Promise<[] | [string]>
  weirConclude(state: string, frames: string, ...args: Arguments): Promise<0 | 1>
  weirCancel(state: string, ...args: Arguments): Promise<[kind: string, job?: string]>
}

/** Gives a connection our scripts; ioredis sends their text again where a restarted Redis has forgotten them. */
export function withScripts(redis: Redis): ScriptedRedis {
  for (const [name, { lua, keys }] of Object.entries(scripts)) redis.defineCommand(name, { lua, numberOfKeys: keys })
  return redis as ScriptedRedis
}
