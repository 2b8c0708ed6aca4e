import { createRandom } from '../random.ts'
import { connectionFaults } from './connection-faults.ts'
import type { FaultKind, PlannedFault } from './fault.ts'
import { processFaults } from './process-faults.ts'
import { serverFaults } from './server-faults.ts'

export const faultKinds: Record<string, FaultKind> = { ...processFaults, ...serverFaults, ...connectionFaults }

type Plan = { seed: number; seconds: number; faults: readonly string[]; apis: number; workers: number }

/** Traffic is under way by then. */
const FIRST_AT_MS = 1_000

/**
 * All that will go wrong, and when, decided by the seed alone. Kinds are dealt out like cards, so that even a short run
 * meets most of them. The next fault often comes before the last is over.
 */
export function planFaults({ seed, seconds, faults, ...cast }: Plan): PlannedFault[] {
  const random = createRandom(seed)
  const deck = faults.flatMap((kind) => Array<string>(faultKinds[kind]!.weight).fill(kind))
  const planned: PlannedFault[] = []
  let cards: string[] = []
  let atMs = FIRST_AT_MS
  while (deck.length > 0 && atMs < seconds * 1_000) {
    if (cards.length === 0) cards = random.shuffled(deck)
    const kind = cards.pop()!
    const { targets, duration } = faultKinds[kind]!
    planned.push({ atMs, kind, target: random.pick(targets(cast)), forMs: duration(random) })
    atMs += random.between(300, 2_200)
  }
  return planned
}
