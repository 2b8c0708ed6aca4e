import { readdirSync, readFileSync } from 'node:fs'

/** `utime` and its kin are counted in these on every Linux that runs Node. */
const MS_PER_TICK = 10

type Stat = { parent: number; cpuMs: number }

/**
 * The CPU time that processes and all their descendants have used so far, in milliseconds; undefined where there is no
 * /proc. A child that has ended is counted in its parent, so the sum never falls.
 */
export function cpuTimeOf(pids: readonly number[]): number | undefined {
  const stats = allStats()
  if (!stats) return undefined
  let sum = 0
  for (const [pid, stat] of stats) if (descendsFrom(pids, pid, stats)) sum += stat.cpuMs
  return sum
}

function descendsFrom(pids: readonly number[], pid: number, stats: Map<number, Stat>): boolean {
  for (let at: number | undefined = pid; at; at = stats.get(at)?.parent) if (pids.includes(at)) return true
  return false
}

function allStats(): Map<number, Stat> | undefined {
  try {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
    return new Map(pids.flatMap((pid) => statOf(pid)))
  } catch {
    return undefined
  }
}

function statOf(pid: string): [number, Stat][] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name in brackets may hold spaces and brackets of its own; the numbers begin after the last one.
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    const [, parent = 0] = fields
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + field, 0)
    return [[Number(pid), { parent, cpuMs: ticks * MS_PER_TICK }]]
  } catch {
    // It ended between the listing and the reading.
    return []
  }
}
