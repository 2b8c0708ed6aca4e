import type { AccountId, CompletionId, KeyId } from '@weir/contracts'
import type { Redis } from '@weir/runtime'

/**
 * One account's admission, in one slot of a cluster. Places are leases in sorted sets, scored by when they end on
 * Redis's own clock, so whoever dies holds them no longer than its completions could have lasted. A rate is the time
 * at which its minute is whole again (GCRA): one number whatever the limit, gone by itself when it has passed. What a
 * completion has taken beside its account's places is noted under its id until it leaves.
 *
 * The names for a key of the account are made from the account's: they share its slot.
 */
const prelude = `
local live, queued, rates, taken = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local id = ARGV[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local MINUTE = 60000

-- A rate may owe a minute beyond the one it has: an estimate that was far too low blocks nobody for longer.
local function spend(rate, field, ms)
  if ms == 0 then return end
  local whole = math.max(tonumber(redis.call('HGET', rate, field) or 0), now)
  whole = math.min(whole + ms, now + 2 * MINUTE)
  if whole <= now then return redis.call('HDEL', rate, field) end
  redis.call('HSET', rate, field, string.format('%.5f', whole))
  local keepMs = math.ceil(whole - now)
  if redis.call('PTTL', rate) < keepMs then redis.call('PEXPIRE', rate, keepMs) end
end
`

const enterScript = `${prelude}
local key, leaseMs, tokens = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local isIn = redis.call('ZSCORE', live, id)
local bound, waitMs = 0, -1
local standing, scopes = {}, {}

-- Of several bounds that refuse, the one that does so for longest is told.
local function refuse(which, ms)
  if ms > waitMs then bound, waitMs = which, ms end
end

local function forgetEnded()
  repeat
    local ended = redis.call('ZRANGE', live, '-inf', now, 'BYSCORE', 'LIMIT', 0, 1000)
    if #ended > 0 then
      redis.call('ZREM', live, unpack(ended))
      redis.call('HDEL', taken, unpack(ended))
    end
  until #ended < 1000
end

local function checkPlaces(set, limit, which)
  if limit == 0 then return end
  redis.call('ZREMRANGEBYSCORE', set, '-inf', now)
  if redis.call('ZCARD', set) >= limit then refuse(which, 0) end
end

-- What one unit costs, in milliseconds of the minute.
local function checkRate(rate, field, limit, units, which)
  if limit == 0 then
    standing[#standing + 1], standing[#standing + 2] = -1, 0
    return 0
  end
  local step = MINUTE / limit
  local usedMs = math.max(tonumber(redis.call('HGET', rate, field) or 0) - now, 0)
  if not isIn then
    -- A microsecond more, or rounding would keep the last one out.
    local missingMs = usedMs + units * step - MINUTE - 0.001
    if missingMs > 0 then refuse(which, math.ceil(missingMs)) end
  end
  standing[#standing + 1], standing[#standing + 2] = (MINUTE - usedMs + 0.001) / step, usedMs
  return step
end

forgetEnded()
for i, suffix in ipairs({ '', ':' .. key }) do
  local base = 4 * i
  local limits = { tonumber(ARGV[base + 1]), tonumber(ARGV[base + 2]), tonumber(ARGV[base + 3]), tonumber(ARGV[base + 4]) }
  if not isIn then
    checkPlaces(live .. suffix, limits[1], base - 3)
    checkPlaces(queued .. suffix, limits[2], base - 2)
  end
  scopes[i] = {
    suffix = suffix,
    holds = i == 1 or limits[1] > 0 or limits[2] > 0,
    request = checkRate(rates .. suffix, 'requests', limits[3], 1, base - 1),
    token = checkRate(rates .. suffix, 'tokens', limits[4], tokens, base),
  }
end

local function hold(set)
  redis.call('ZADD', set, now + leaseMs, id)
  if redis.call('PTTL', set) < leaseMs then redis.call('PEXPIRE', set, leaseMs) end
end

if bound == 0 and not isIn then
  local costs = 0
  for i, scope in ipairs(scopes) do
    if scope.holds then
      hold(live .. scope.suffix)
      hold(queued .. scope.suffix)
    end
    spend(rates .. scope.suffix, 'requests', scope.request)
    spend(rates .. scope.suffix, 'tokens', scope.token * tokens)
    costs = costs + scope.request + scope.token
    local at = 4 * i - 3
    if scope.request > 0 then
      standing[at], standing[at + 1] = standing[at] - 1, standing[at + 1] + scope.request
    end
    if scope.token > 0 then
      standing[at + 2], standing[at + 3] = standing[at + 2] - tokens, standing[at + 3] + scope.token * tokens
    end
  end
  if costs > 0 or scopes[2].holds then
    local note = { key, tokens }
    for _, scope in ipairs(scopes) do
      note[#note + 1] = string.format('%.12g', scope.request)
      note[#note + 1] = string.format('%.12g', scope.token)
    end
    redis.call('HSET', taken, id, table.concat(note, ' '))
    if redis.call('PTTL', taken) < leaseMs then redis.call('PEXPIRE', taken, leaseMs) end
  end
end

local answer = { bound, waitMs }
for i = 1, 8 do
  local whole = i % 2 == 1 and math.floor(standing[i]) or math.ceil(standing[i])
  answer[#answer + 1] = whole
end
return answer
`

const startedScript = `${prelude}
local key = string.match(redis.call('HGET', taken, id) or '', '^%S+')
redis.call('ZREM', queued, id)
if key then redis.call('ZREM', queued .. ':' .. key, id) end
return 1
`

const holdScript = `${prelude}
local leaseMs = tonumber(ARGV[2])
if not redis.call('ZSCORE', live, id) then return 0 end
local sets = { live, queued }
local key = string.match(redis.call('HGET', taken, id) or '', '^%S+')
if key then sets = { live, queued, live .. ':' .. key, queued .. ':' .. key } end
for _, set in ipairs(sets) do redis.call('ZADD', set, 'XX', 'GT', now + leaseMs, id) end
sets[#sets + 1] = taken
for _, set in ipairs(sets) do
  if redis.call('PTTL', set) < leaseMs then redis.call('PEXPIRE', set, leaseMs) end
end
return 1
`

// Only whoever takes the place away gives back what else was taken: however often it is asked for, once.
const leaveScript = `${prelude}
if redis.call('ZREM', live, id) == 0 then return 0 end
redis.call('ZREM', queued, id)
local note = redis.call('HGET', taken, id)
if not note then return 1 end
redis.call('HDEL', taken, id)
local parts = {}
for part in string.gmatch(note, '%S+') do parts[#parts + 1] = part end
local key, requestsUsed, tokensUsed = parts[1], tonumber(ARGV[2]), tonumber(ARGV[3])
for i, suffix in ipairs({ '', ':' .. key }) do
  spend(rates .. suffix, 'requests', (requestsUsed - 1) * parts[2 * i + 1])
  spend(rates .. suffix, 'tokens', (tokensUsed - parts[2]) * parts[2 * i + 2])
end
redis.call('ZREM', live .. ':' .. key, id)
redis.call('ZREM', queued .. ':' .. key, id)
return 1
`

type Names = [live: string, queued: string, rates: string, taken: string]
type Commands = Redis & {
  weirEnter(
    ...args: [...Names, id: CompletionId, key: KeyId, leaseMs: number, tokens: number, ...limits: number[]]
  ): Promise<number[]>
  weirHold(...args: [...Names, id: CompletionId, leaseMs: number]): Promise<number>
  weirStarted(...args: [...Names, id: CompletionId]): Promise<number>
  weirLeave(...args: [...Names, id: CompletionId, requests: 0 | 1, tokens: number]): Promise<number>
}

/** The steps of an account's admission, each one command. */
export function admissionScripts(redis: Redis, prefix: string) {
  redis.defineCommand('weirEnter', { numberOfKeys: 4, lua: enterScript })
  redis.defineCommand('weirHold', { numberOfKeys: 4, lua: holdScript })
  redis.defineCommand('weirStarted', { numberOfKeys: 4, lua: startedScript })
  redis.defineCommand('weirLeave', { numberOfKeys: 4, lua: leaveScript })
  const commands = redis as Commands
  const namesOf = (accountId: AccountId): Names => {
    const of = (what: string) => `${prefix}:${what}:{${accountId}}`
    return [of('live'), of('queued'), of('rates'), of('taken')]
  }

  return {
    /** The bound that refuses, 0 when none; for how long, in milliseconds; then what is left and when all is, four times. */
    enter: (accountId: AccountId, id: CompletionId, key: KeyId, leaseMs: number, tokens: number, limits: number[]) =>
      commands.weirEnter(...namesOf(accountId), id, key, leaseMs, tokens, ...limits),
    hold: (accountId: AccountId, id: CompletionId, leaseMs: number) =>
      commands.weirHold(...namesOf(accountId), id, leaseMs),
    started: (accountId: AccountId, id: CompletionId) => commands.weirStarted(...namesOf(accountId), id),
    leave: (accountId: AccountId, id: CompletionId, used: { requests: 0 | 1; tokens: number }) =>
      commands.weirLeave(...namesOf(accountId), id, used.requests, used.tokens),
  }
}
