/** Where a start reports to: what it does next, and what it has done. */
export type Progress = {
  note(text: string): void
  done(text: string): void
}

export const silent: Progress = { note: () => {}, done: () => {} }

export function printProgress(write: (line: string) => void): Progress {
  return { note: (text) => write(`  ${text} …`), done: (text) => write(`✓ ${text}`) }
}

/** Runs a step and reports `textOf` its result with the time it took. */
export async function timed<T>(progress: Progress, textOf: (result: T) => string, step: () => Promise<T>): Promise<T> {
  const start = performance.now()
  const result = await step()
  progress.done(`${textOf(result)} (${((performance.now() - start) / 1000).toFixed(1)} s)`)
  return result
}
