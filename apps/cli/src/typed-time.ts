import { InvalidArgumentError } from 'commander'
import { z } from 'zod'

const HOUR_MS = 3_600_000
const unitMs: Record<string, number> = { m: 60_000, h: HOUR_MS, d: 24 * HOUR_MS, w: 7 * 24 * HOUR_MS }

/** A time as typed, or so long from now: `30d`. In UTC, as the wire has it. */
export const timeAhead = (typed: string): string => timeOf(typed, 1)

/** A time as typed, or so long ago: `7d`. In UTC, as the wire has it. */
export const timeAgo = (typed: string): string => timeOf(typed, -1)

function timeOf(typed: string, direction: 1 | -1): string {
  const [, count, unit = ''] = /^(\d{1,4})([mhdw])$/.exec(typed) ?? []
  if (count !== undefined) return new Date(Date.now() + direction * Number(count) * unitMs[unit]!).toISOString()
  if (Time.safeParse(typed).success) return new Date(typed).toISOString()
  throw new InvalidArgumentError(
    'It must be a day such as 2027-01-31 (it begins in UTC), a time such as 2027-01-31T12:00:00Z (with Z or an offset), ' +
      'or a span such as 90m, 12h, 30d or 2w.',
  )
}

/** A time without an offset is another moment on another machine, so it is refused; JavaScript reads a bare day as UTC. */
const Time = z.union([z.iso.date(), z.iso.datetime({ offset: true })])
