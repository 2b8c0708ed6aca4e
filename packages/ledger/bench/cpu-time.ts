import { readFileSync, readdirSync } from 'node:fs'

/** `utime` and its kin are counted in these on every Linux that runs Node. */
const MS_PER_TICK = 10

/** The CPU time of a process and its children so far, living or gone, in milliseconds; undefined where there is no /proc. */
export function cpuMsOf(pid: number | undefined): number | undefined {
  try {
    const stats = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap(statOf)
    const family = stats.filter((stat) => stat.pid === pid || stat.parent === pid)
    // What has ended is counted in its parent.
    const ticks = family.map((stat) => stat.own + (stat.pid === pid ? stat.ofEnded : 0))
    return ticks.reduce((sum, some) => sum + some, 0) * MS_PER_TICK
  } catch {
    return undefined
  }
}

function statOf(name: string) {
  try {
    const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
    // The name in brackets may hold spaces and brackets of its own; the numbers begin after the last one.
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    const [utime = 0, stime = 0, cutime = 0, cstime = 0] = fields.slice(11, 15)
    return [{ pid: Number(name), parent: fields[1], own: utime + stime, ofEnded: cutime + cstime }]
  } catch {
    // It ended between the listing and the reading.
    return []
  }
}
