import type { Answer } from './send.ts'

/** What becomes of a delivery after a try, and for how long its target is left alone. */
export type Verdict = {
  kind: 'delivered' | 'retry' | 'failed' | 'gone'
  retryMs?: number | undefined
  restMs: number
}

/** `tries`: those before this one, by the schedule. `failures`: of its target, in a row, before this one. */
export type Standing = { tries: number; failures: number }

/** A target that has failed so often in a row is left alone for a while, then tried with one delivery at a time. */
export const FAILURES_BEFORE_REST = 5
const FIRST_REST_MS = 5_000
const LONGEST_REST_MS = 600_000

/** Whoever says so has too much to do. */
const BUSY = new Set([429, 502, 503, 504])
const BUSY_MS = 10_000
const GONE = 410

/**
 * `retriesMs` holds the wait after each try, the first one's first: after the last one a delivery has failed. Waits vary
 * by a fifth, so that what failed together does not come back together.
 */
export function verdictOf(
  answer: Answer,
  { tries, failures }: Standing,
  retriesMs: readonly number[],
  random = Math.random,
): Verdict {
  if (answer.kind === 'answered' && answer.status >= 200 && answer.status < 300) return { kind: 'delivered', restMs: 0 }
  if (answer.kind === 'answered' && answer.status === GONE) return { kind: 'gone', restMs: 0 }

  const busyMs = answer.kind === 'answered' && BUSY.has(answer.status) ? (answer.retryAfterMs ?? BUSY_MS) : 0
  const restMs = Math.max(busyMs, breakMs(failures + 1)) * (1 + random() / 5)
  const waitMs = retriesMs[tries]
  if (waitMs === undefined) return { kind: 'failed', restMs }
  return { kind: 'retry', retryMs: Math.max(waitMs * (0.9 + random() / 5), busyMs), restMs }
}

/** Twice as long after each failure. */
function breakMs(failures: number): number {
  if (failures < FAILURES_BEFORE_REST) return 0
  return Math.min(FIRST_REST_MS * 2 ** (failures - FAILURES_BEFORE_REST), LONGEST_REST_MS)
}
