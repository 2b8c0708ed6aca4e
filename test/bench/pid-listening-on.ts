import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const LISTENING = '0A'

/** The process that listens on a TCP port of this machine; undefined where /proc cannot tell (a container's, another user's). */
export function pidListeningOn(port: number): number | undefined {
  try {
    const inodes = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => inodesIn(table, port))
    const wanted = new Set(inodes.map((inode) => `socket:[${inode}]`))
    const holders = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && holdsOne(name, wanted))
    // Children inherit the socket; the first of the family has the lowest id.
    return holders.map(Number).sort((a, b) => a - b)[0]
  } catch {
    return undefined
  }
}

function inodesIn(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const rows = readFileSync(table, 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
  return rows.flatMap(([, local, , state, , , , , , inode]) =>
    local?.endsWith(suffix) && state === LISTENING && inode ? [inode] : [],
  )
}

function holdsOne(pid: string, sockets: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => sockets.has(readlinkSync(`/proc/${pid}/fd/${fd}`)))
  } catch {
    return false
  }
}
