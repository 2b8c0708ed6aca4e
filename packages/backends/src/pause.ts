import { setTimeout as delay } from 'node:timers/promises'
import { abortErrorOf } from './backend-errors.ts'

/** Waits, or throws why the signal was aborted, at once. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal })
  } catch (error) {
    throw signal.aborted ? abortErrorOf(signal) : error
  }
}
