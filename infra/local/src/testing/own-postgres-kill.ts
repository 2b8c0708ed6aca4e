import { spawnSync } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { isAlive } from '../processes.ts'
import { setTimeout as sleep } from 'node:timers/promises'

/** Ends a process and its children at once, so that none of them can notice the end of another and act on it. */
export async function killTree(pid: number): Promise<void> {
  // Frozen, it starts no more children while we look for them.
  process.kill(pid, 'SIGSTOP')
  const tree = [...(await childrenOf(pid)), pid]
  for (const one of tree) killIfThere(one)
  while (tree.some(isAlive)) await sleep(5)
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

async function childrenOf(pid: number): Promise<number[]> {
  if (process.platform !== 'linux') {
    const { stdout } = spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
    return stdout.split('\n').filter(Boolean).map(Number)
  }
  const pids = (await readdir('/proc')).map(Number).filter((one) => one > 0)
  const parents = await Promise.all(pids.map(parentOf))
  return pids.filter((_, i) => parents[i] === pid)
}

/** Undefined if there is no such process any more. */
async function parentOf(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  // The name, in parentheses, may hold anything; the state and the parent follow it.
  return stat === undefined ? undefined : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
}
