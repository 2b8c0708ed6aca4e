import { setImmediate as turn } from 'node:timers/promises'

/** Reading a line is work: for so long the process does nothing else. */
const SLICE_MS = 4

/** Called between two pieces of work, it lets everybody else have their turn when it is time. */
export function createSlices(): () => Promise<void> | undefined {
  let from = performance.now()

  async function rest(): Promise<void> {
    await turn()
    from = performance.now()
  }
  return () => (performance.now() - from > SLICE_MS ? rest() : undefined)
}
