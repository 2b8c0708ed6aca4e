const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export type StopSignals = {
  /** Resolves at the first signal. */
  stopped: Promise<void>
  isStopping(): boolean
  /** For use between the steps of a start. */
  throwIfStopping(): void
}

/** Listens for the signals that ask this process to stop; `force` is called when somebody asks again. */
export function listenForStop(force: () => void): StopSignals {
  let firstAt: number | undefined
  const { promise: stopped, resolve } = Promise.withResolvers<void>()
  const onSignal = () => {
    // A terminal sends Ctrl-C to npm and to us, and npm sends it on: the echo is no second request.
    if (firstAt !== undefined && performance.now() - firstAt < 500) return
    if (firstAt !== undefined) return force()
    firstAt = performance.now()
    resolve()
  }
  for (const signal of signals) process.on(signal, onSignal)
  watchNpm(onSignal)
  return {
    stopped,
    isStopping: () => firstAt !== undefined,
    throwIfStopping() {
      if (firstAt !== undefined) throw new Error('Stopped before everything had started')
    },
  }
}

// npm runs us below a shell, and a shell that is asked to stop goes without telling us. When it is gone, so are we.
function watchNpm(onGone: () => void): void {
  if (!process.env['npm_lifecycle_event']) return
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    onGone()
  }, 250)
  watch.unref()
}
