import type { Inflicted } from '../faults/inflict.ts'
import type { Life } from '../place/life.ts'
import type { Evidence, Violation } from './evidence.ts'

/** Far above what was ever seen in a healthy outage, and far below a loop that logs as fast as it can. */
const MOST_LINES_IN_A_SECOND = 400
const MOST_LINES = 1_000
const MOST_LINES_PER_SECOND = 100

/** No process ends by itself or with complaints, and none floods its log. */
export function checkProcesses({ lives, inflicted }: Evidence): Violation[] {
  return lives.flatMap((life) => {
    const found = [...complaintsOf(life), ...(stopped(life, inflicted) ?? [])]
    return found.map((message) => ({ rule: 'process', message: `${life.name}: ${message}` }))
  })
}

/** Told to stop, it ends with 0, unless what it needs to come to an end was away meanwhile. */
function stopped({ name, ended, exit, toldToStopAt = 0, endedAt = Infinity }: Life, inflicted: readonly Inflicted[]) {
  if (ended !== 'told to stop' || !exit || exit.code === 0) return undefined
  const wasAway = inflicted.some(
    ({ kind, target, beganAt, endedAt: mendedAt = Infinity }) =>
      !kind.startsWith('drain') &&
      (target === 'redis' || target === 'postgres' || target.startsWith(`${name}:`)) &&
      beganAt < endedAt &&
      mendedAt > toldToStopAt,
  )
  return wasAway
    ? undefined
    : [`was told to stop at ${toldToStopAt} and ended at ${endedAt} with ${exit.signal ?? `code ${exit.code}`}`]
}

function complaintsOf({ ended, exit, odd, lines, mostInASecond, startedAt, endedAt, lastLines }: Life): string[] {
  const found: string[] = []
  const how = exit && (exit.signal ?? `code ${exit.code}`)
  if (ended === 'by itself') found.push(`ended by itself (${how}): ${lastLines.slice(-5).join('\n')}`)
  if (odd.length > 0) found.push(`said what is no log line: ${odd.join('\n')}`)

  const seconds = ((endedAt ?? startedAt) - startedAt) / 1_000
  const isFlood = lines > MOST_LINES + seconds * MOST_LINES_PER_SECOND || mostInASecond > MOST_LINES_IN_A_SECOND
  if (isFlood) found.push(`wrote ${lines} lines in ${seconds.toFixed(0)} s, up to ${mostInASecond} in one`)
  return found
}
