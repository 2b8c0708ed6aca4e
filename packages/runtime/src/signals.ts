/**
 * Resolves at the first of the signals, or when the process that started us is gone. From then on nothing holds the
 * process but the work that it still does.
 */
export async function untilSignal(...signals: NodeJS.Signals[]): Promise<string> {
  const cause = await new Promise<string>((resolve) => {
    for (const signal of signals) process.once(signal, () => resolve(signal))
    // A parent that was killed can send no signal; its IPC channel closes all the same.
    if (process.connected) process.once('disconnect', () => resolve('parent gone'))
  })
  if (process.connected) process.disconnect()
  return cause
}

/** Tells the process that started us, if it listens, that we serve now. */
export function announceReady(details: { port?: number | undefined; metricsPort?: number | undefined } = {}): void {
  if (process.connected) process.send?.({ type: 'ready', ...details })
}

/** For closing what is open, once nothing runs any more. */
const CLOSING_MS = 4_000

/** Ends the process soon after `graceMs` at the latest, when a dependency that is away keeps something from being closed. */
export function exitAfter(graceMs: number): void {
  // oxlint-disable-next-line unicorn/no-process-exit -- nothing can be caught any more: the work is over.
  setTimeout(() => process.exit(1), graceMs + CLOSING_MS).unref()
}
