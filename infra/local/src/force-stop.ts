import type { ChildProcess } from 'node:child_process'
import { hasEnded } from './processes.ts'

const harshSignals = new Map<ChildProcess, NodeJS.Signals>()

/** Remembers what makes this child end at once without harm to its data. */
export function endsAtOnceBy(child: ChildProcess, signal: NodeJS.Signals): void {
  harshSignals.set(child, signal)
  child.once('exit', () => harshSignals.delete(child))
}

/** Ends every child of this process at once. Whoever waits for one of them then sees its end. */
export function forceStop(): void {
  for (const [child, signal] of harshSignals) if (!hasEnded(child)) child.kill(signal)
}
