/**
 * Runs `task` again and again, `intervalMs` after the last run ended, never two at once; the first time now, or `later`,
 * after one interval. Disposal waits for the running one.
 */
export function repeat(
  intervalMs: number,
  task: (signal: AbortSignal) => Promise<void>,
  onError: (error: unknown) => void,
  first: 'now' | 'later' = 'now',
): AsyncDisposable {
  const stop = new AbortController()
  let wake = () => {}
  const pause = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, intervalMs)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  const running = (async () => {
    if (first === 'later') await pause()
    while (!stop.signal.aborted) {
      await task(stop.signal).catch(onError)
      if (!stop.signal.aborted) await pause()
    }
  })()

  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      wake()
      await running
    },
  }
}
