import type { Place } from '../place/open-place.ts'
import type { Random } from '../random.ts'

/** One thing that goes wrong, as it is planned. */
export type PlannedFault = {
  atMs: number
  kind: string
  /** What it happens to: of two faults of one target, the second waits for the end of the first. */
  target: string
  forMs: number
}

/** What a fault needs to know to come about. */
export type Scene = { place: Place; sleep: (ms: number) => Promise<void> }

/** A kind of fault: to whom it may happen, for how long, and how it is done and undone. */
export type FaultKind = {
  /** How often it comes, beside the others. */
  weight: number
  targets(cast: { apis: number; workers: number }): string[]
  duration(random: Random): number
  /** Resolves when it is over and mended. */
  inflict(scene: Scene, fault: PlannedFault): Promise<void>
}

export const apisOf = ({ apis }: { apis: number }): string[] => namesOf('api', apis)
export const workersOf = ({ workers }: { workers: number }): string[] => namesOf('worker', workers)
const namesOf = (kind: string, count: number) => Array.from({ length: count }, (_, n) => `${kind}-${n}`)

/** The process a fault happens to. */
export function slotIn({ place }: Scene, { target }: PlannedFault) {
  const slot = [...place.apis, ...place.workers].find(({ name }) => target === name || target.startsWith(`${name}:`))
  if (!slot) throw new Error(`no process is called ${target}`)
  return slot
}
