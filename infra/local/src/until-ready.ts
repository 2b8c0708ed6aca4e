import { setTimeout as sleep } from 'node:timers/promises'
import type { Exit } from './processes.ts'

type Wait<T> = {
  what: string
  /** One question to the server: its answer, or undefined while there is none. */
  ready: () => Promise<T | undefined>
  /** The server's end, which makes further waiting pointless. */
  exited: Promise<Exit>
  limitMs: number
}

/** Asks until the server answers; rejects if it ends first or takes too long. */
export async function untilReady<T>({ what, ready, exited, limitMs }: Wait<T>): Promise<T> {
  let exit: Exit | undefined
  void exited.then((value) => (exit = value))
  const deadline = performance.now() + limitMs
  while (performance.now() < deadline) {
    const answer = await ready()
    if (answer !== undefined) return answer
    if (exit) throw new Error(`${what} ended at once (${exit.signal ?? `code ${exit.code}`})`)
    await sleep(50)
  }
  throw new Error(`${what} did not answer within ${limitMs / 1000} s`)
}
