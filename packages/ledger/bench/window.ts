import { setTimeout as pause } from 'node:timers/promises'

export type Window = {
  /** Caches fill and batches find their size before anything counts. */
  leadInMs: number
  lengthMs: number
  /** Called at both ends of what counts. */
  atEdge?: () => Promise<void>
}

/** What loops look at: whether what they do counts, and when to stop. */
export type Progress = { phase: 'lead-in' | 'open' | 'over' }

/** Lets loops run through a window, waits until each has stopped, and tells how many seconds counted. */
export async function through(window: Window, progress: Progress, run: () => Promise<unknown>): Promise<number> {
  const stopped = run()
  try {
    // A loop only stops by itself when it fails.
    await Promise.race([pause(window.leadInMs), stopped])
    await window.atEdge?.()
    progress.phase = 'open'
    const opened = performance.now()
    await Promise.race([pause(window.lengthMs), stopped])
    progress.phase = 'over'
    const seconds = (performance.now() - opened) / 1_000
    await window.atEdge?.()
    await stopped
    return seconds
  } finally {
    progress.phase = 'over'
  }
}
