import type { Evidence, Violation } from './evidence.ts'

/** On an ordinary machine it is some in each second. */
const MS_PER_COMPLETION = 4_000

/** A run in which hardly anything was accepted, for want of a machine that keeps up with the faults, proves nothing. */
export function checkWorth({ rows, askedForMs }: Evidence): Violation[] {
  const least = Math.floor(askedForMs / MS_PER_COMPLETION)
  if (rows.length >= least) return []
  return [{ rule: 'worthless', message: `only ${rows.length} completions were accepted; ${least} are needed to tell` }]
}
