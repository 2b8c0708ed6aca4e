import type { Redis } from '@weir/runtime'

/*
 * The life of a completion in Redis, each step atomic. KEYS[1] is its state, KEYS[2] its frames.
 *
 * Fields of the state:
 *   job       what to run (CompletionJob)          audience  channels of the replicas that wait, each ended by a space
 *   deadline  ms since the epoch                   attended  1 when it is to be cancelled once nobody waits
 *   stream    1 when frames are shown as they come  usage     1 when its stream tells the usage at its end
 *   epoch     fencing token of the newest attempt  attempts  how often it was claimed
 *   worker    control channel of that attempt      sequence  of the newest frame
 *   running   that attempt (AttemptRecord, its JSON not yet closed)
 *   run       the newest run of its job that has claimed it, half a step further once that has let go of it
 *   log       the attempts before it (AttemptRecord, a line each)
 *   cancelled set once somebody asked for it
 *   prepared  the outcome, decided but not yet settled in Postgres
 *   outcome   the terminal record, settled
 */

/** Unknown to Redis: written. Known: left alone. ARGV: job, audience, deadline, stream, attended, usage, epoch to start from, ttl. */
const submit = `
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'job', ARGV[1], 'audience', ARGV[2], 'deadline', ARGV[3], 'stream', ARGV[4],
  'attended', ARGV[5], 'usage', ARGV[6], 'epoch', ARGV[7], 'requested', ARGV[8], 'attempts', 0, 'sequence', 0)
redis.call('PEXPIRE', KEYS[1], ARGV[9])
return 1
`

/** Puts the attempt that was running, if it has not told its end, with those that are over. */
const closeLost = `
local function attemptLog(log, running)
  if not running then return log or '' end
  return (log or '') .. running .. ',"end":"lost"}\\n'
end
`

/**
 * Starts an attempt. Whatever the answer, unless it has ended, the epoch rises: no earlier attempt is heard any more. Time is
 * Redis's own. A connection that was cut sends its commands again, so a claim may come twice, or late: from the run that has
 * it now it is the same claim, and from one that is over it changes nothing.
 * ARGV: control channel of the worker, its name as JSON, most attempts, run of its job or nothing.
 */
const claim = `${closeLost}
local s = redis.call('HMGET', KEYS[1], 'job', 'outcome', 'prepared', 'cancelled', 'deadline', 'stream', 'sequence',
  'attempts', 'log', 'running', 'audience', 'attended', 'run', 'worker', 'epoch')
if s[2] then return {'ended'} end
if not s[1] then return {'missing'} end
if s[3] then return {'prepared', 0, s[1], s[3]} end
local run, newest = tonumber(ARGV[4]), tonumber(s[13] or 0)
if run then
  if run < newest then return {'stale'} end
  -- A Redis that lost what it was told last counts a run twice: that of another worker is another one.
  if run == newest and s[10] and s[14] == ARGV[1] then
    local attempt, startedAt = string.match(s[10], '^{"attempt":(%d+),.*"startedAt":(%d+)$')
    return {'claimed', tonumber(s[15]), s[1], s[9] or '', tonumber(attempt), tonumber(startedAt), s[11], s[12]}
  end
  redis.call('HSET', KEYS[1], 'run', ARGV[4])
end
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local log = attemptLog(s[9], s[10])
if s[10] then redis.call('HSET', KEYS[1], 'log', log) end
redis.call('HDEL', KEYS[1], 'running')
if s[4] then return {'cancelled', epoch, s[1], log} end
if now > tonumber(s[5]) then return {'expired', epoch, s[1], log} end
if s[6] == '1' and tonumber(s[7]) > 0 then return {'interrupted', epoch, s[1], log} end
if tonumber(s[8]) >= tonumber(ARGV[3]) then return {'exhausted', epoch, s[1], log} end
local attempt = redis.call('HINCRBY', KEYS[1], 'attempts', 1)
local running = string.format('{"attempt":%d,"worker":%s,"startedAt":%d', attempt, ARGV[2], now)
redis.call('HSET', KEYS[1], 'worker', ARGV[1], 'running', running)
return {'claimed', epoch, s[1], log, attempt, now, s[11], s[12]}
`

/**
 * Lets go of a completion that has to wait, so that it can be cancelled meanwhile; once, however often it is told. From then on
 * a claim of the same run, should it come late, is older than the newest. ARGV: epoch, attempts to take back, what is to be
 * remembered of this one.
 */
const letGo = `
local s = redis.call('HMGET', KEYS[1], 'epoch', 'log', 'running')
if s[1] ~= ARGV[1] or not s[3] then return 0 end
redis.call('HINCRBYFLOAT', KEYS[1], 'run', 0.5)
redis.call('HINCRBY', KEYS[1], 'attempts', 0 - ARGV[2])
redis.call('HSET', KEYS[1], 'log', (s[2] or '') .. ARGV[3] .. '\\n')
redis.call('HDEL', KEYS[1], 'worker', 'running')
return 1
`

/** Shows something to all who wait. */
const publish = `
local function publish(audience, message)
  for channel in string.gmatch(audience, '%S+') do redis.call('PUBLISH', channel, message) end
end
`

/**
 * Appends one frame and shows it to whoever waits; a frame that was written before is not written again, so that one
 * whose reply was lost may be repeated. ARGV: epoch, sequence, payload, id. Returns 1, -1 stale, -2 cancelled.
 */
const emit = `${publish}
local s = redis.call('HMGET', KEYS[1], 'epoch', 'cancelled', 'prepared', 'outcome', 'audience', 'sequence')
if s[1] ~= ARGV[1] or s[3] or s[4] then return -1 end
if s[2] then return -2 end
if tonumber(s[6]) >= tonumber(ARGV[2]) then return 1 end
local at = ARGV[1] .. '-' .. ARGV[2]
redis.call('XADD', KEYS[2], at, 'f', ARGV[3])
if ARGV[2] == '1' then redis.call('PEXPIRE', KEYS[2], math.max(1, redis.call('PTTL', KEYS[1]))) end
redis.call('HSET', KEYS[1], 'sequence', ARGV[2])
publish(s[5], 'frame\\n' .. ARGV[4] .. '\\n' .. at .. '\\n' .. ARGV[3])
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
const conclude = `${publish}
local s = redis.call('HMGET', KEYS[1], 'outcome', 'audience', 'epoch', 'sequence')
if s[1] or not s[2] then return 0 end
redis.call('HSET', KEYS[1], 'outcome', ARGV[1])
redis.call('HDEL', KEYS[1], 'job', 'prepared', 'worker', 'running', 'run', 'log')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
publish(s[2], 'end\\n' .. ARGV[3] .. '\\n' .. s[3] .. '-' .. s[4] .. '\\n' .. ARGV[1])
return 1
`

/**
 * Cancels: one that nobody has claimed is decided here and now, a running one is told. One whose deadline has passed is not
 * cancelled any more: it has expired. ARGV: id, outcome of the former, 1 to leave it alone when somebody waits for it or it
 * needs nobody to, outcome of one that has expired.
 */
const cancel = `${closeLost}
local s = redis.call('HMGET', KEYS[1], 'job', 'prepared', 'outcome', 'worker', 'audience', 'attended', 'log', 'running',
  'deadline')
if s[2] or s[3] then return {'ending'} end
if not s[1] then return {'missing'} end
if ARGV[3] == '1' and (s[5] ~= '' or s[6] ~= '1') then return {'attended'} end
local time = redis.call('TIME')
local expired = time[1] * 1000 + math.floor(time[2] / 1000) > tonumber(s[9])
if not expired then redis.call('HSET', KEYS[1], 'cancelled', 1) end
if s[4] then
  redis.call('PUBLISH', s[4], ARGV[1])
  return {'running'}
end
local outcome = expired and ARGV[4] or ARGV[2]
redis.call('HSET', KEYS[1], 'prepared', outcome)
return {'decided', s[1], attemptLog(s[7], s[8]), outcome}
`

/** One more replica listens. Few ever do: past the bound they look into Redis from time to time. ARGV: channel. */
const MOST_LISTENERS = 8
const attach = `
local audience = redis.call('HGET', KEYS[1], 'audience')
if not audience then return 0 end
if string.find(audience, ARGV[1] .. ' ', 1, true) then return 1 end
local _, listeners = string.gsub(audience, ' ', '')
if listeners < ${MOST_LISTENERS} then redis.call('HSET', KEYS[1], 'audience', audience .. ARGV[1] .. ' ') end
return 1
`

/** A replica listens no more. ARGV: channel. */
const detach = `
local audience = redis.call('HGET', KEYS[1], 'audience')
if not audience then return 0 end
local at, last = string.find(audience, ARGV[1] .. ' ', 1, true)
if at then redis.call('HSET', KEYS[1], 'audience', string.sub(audience, 1, at - 1) .. string.sub(audience, last + 1)) end
return 1
`

/** From now on it goes on though nobody waits. */
const release = `
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'attended', 0)
return 1
`

const scripts = {
  weirSubmit: { lua: submit, keys: 1 },
  weirClaim: { lua: claim, keys: 1 },
  weirLetGo: { lua: letGo, keys: 1 },
  weirEmit: { lua: emit, keys: 2 },
  weirPrepare: { lua: prepare, keys: 1 },
  weirConclude: { lua: conclude, keys: 2 },
  weirCancel: { lua: cancel, keys: 1 },
  weirAttach: { lua: attach, keys: 1 },
  weirDetach: { lua: detach, keys: 1 },
  weirRelease: { lua: release, keys: 1 },
} as const

type Arguments = (string | number)[]
export type ScriptedRedis = Redis & {
  weirSubmit(state: string, ...args: Arguments): Promise<0 | 1>
  weirClaim(state: string, ...args: Arguments): Promise<ClaimReply>
  weirLetGo(state: string, ...args: Arguments): Promise<0 | 1>
  weirEmit(state: string, frames: string, ...args: Arguments): Promise<1 | -1 | -2>
  weirPrepare(state: string, ...args: Arguments): Promise<[] | [string]>
  weirConclude(state: string, frames: string, ...args: Arguments): Promise<0 | 1>
  weirCancel(state: string, ...args: Arguments): Promise<[kind: string, job?: string, log?: string, outcome?: string]>
  weirAttach(state: string, channel: string): Promise<0 | 1>
  weirDetach(state: string, channel: string): Promise<0 | 1>
  weirRelease(state: string): Promise<0 | 1>
}

/** `more` is the outcome of a prepared one, else the log of the attempts before. */
type ClaimReply = [
  kind: string,
  epoch?: number,
  job?: string,
  more?: string,
  attempt?: number,
  startedAt?: number,
  audience?: string,
  attended?: string,
]

/** Gives a connection our scripts; ioredis sends their text again where a restarted Redis has forgotten them. */
export function withScripts(redis: Redis): ScriptedRedis {
  for (const [name, { lua, keys }] of Object.entries(scripts)) redis.defineCommand(name, { lua, numberOfKeys: keys })
  return redis as ScriptedRedis
}
