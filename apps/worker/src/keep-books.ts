import { setTimeout } from 'node:timers/promises'
import type { CheckBooks } from '@weir/completions'
import { type KeptMonths, type Ledger, expireGrants } from '@weir/ledger'
import { type Logger, type Metrics, repeat } from '@weir/runtime'
import { Gauge } from 'prom-client'

export type KeepBooksDeps = {
  ledger: Pick<Ledger, 'endedGrants' | 'amend'>
  keepMonths: () => Promise<KeptMonths>
  checkBooks: CheckBooks
  metrics: Metrics
  upkeepMs: number
  checkMs: number
  /** The first check is so long after the start. */
  firstCheckMs?: number
  log: Logger
}

/** What the books need beside the work: grants that ended are taken, months are made and archived, and all is checked. */
export function keepBooks(deps: KeepBooksDeps): AsyncDisposable {
  const { log, checkMs, firstCheckMs = Math.min(soon(), checkMs) } = deps
  let told: ReturnType<typeof tellOf> | undefined

  async function upkeep(signal: AbortSignal) {
    const { expired } = await expireGrants(deps.ledger, signal)
    if (expired > 0) log.info({ grants: expired }, 'grants ended')
    const { made, detached, left } = await deps.keepMonths()
    if (made.length + detached.length > 0) log.info({ made, detached }, 'months kept')
    if (left.length > 0) log.warn({ left }, 'months left for the next run')
  }

  async function check(signal: AbortSignal) {
    const report = await deps.checkBooks({ signal })
    for (const finding of report.findings) log.error({ finding }, 'the books are not whole')
    told ??= tellOf(deps.metrics)
    told.findings.set(report.findings.length + report.unlisted)
    told.checkedAt.set(report.checkedAt.getTime() / 1_000)
  }

  const onError = (error: unknown) => log.warn({ err: error }, 'the books could not be kept')
  const running = new AsyncDisposableStack()
  running.use(repeat(deps.upkeepMs, upkeep, onError))
  running.use(repeat(checkMs, after(firstCheckMs, check), onError))
  return running
}

/** Some minutes after the start, for a worker that is restarted often, and not for all of them at the same moment. */
const soon = (): number => 120_000 + Math.random() * 480_000

/** The task, but for a pause before its first run. */
function after(ms: number, task: (signal: AbortSignal) => Promise<void>) {
  let hasWaited = false
  return async (signal: AbortSignal) => {
    if (!hasWaited) await setTimeout(ms, undefined, { signal }).catch(() => {})
    hasWaited = true
    if (!signal.aborted) await task(signal)
  }
}

/** Made with the first check: before it nothing is known, and nothing is said. */
const tellOf = (metrics: Metrics) => ({
  findings: new Gauge({
    name: 'weir_ledger_findings',
    help: 'What the last check of the books found; must be 0',
    registers: [metrics],
  }),
  checkedAt: new Gauge({
    name: 'weir_ledger_checked_timestamp_seconds',
    help: 'When the books were last checked',
    registers: [metrics],
  }),
})
