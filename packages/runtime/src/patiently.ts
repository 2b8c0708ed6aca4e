import { isDependencyError } from './dependency-errors.ts'

const PAUSE_MS = 100

/**
 * Does what may be done twice, and does it again while its dependency is away: for about `patienceMs`, or until `signal`
 * aborts. Then it fails as it failed last.
 */
export async function patiently<Result>(
  work: () => Promise<Result>,
  patienceMs: number,
  signal?: AbortSignal,
): Promise<Result> {
  const giveUpAt = performance.now() + patienceMs
  for (;;) {
    try {
      return await work()
    } catch (error) {
      const isOver = performance.now() + PAUSE_MS > giveUpAt || signal?.aborted
      if (isOver || !isDependencyError(error)) throw error
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }
}
