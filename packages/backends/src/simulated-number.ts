import type { Dice } from './simulated-dice.ts'
import type { Shape } from './simulated-schema.ts'

/** Numbers are taken from so wide a range, where the schema leaves it open. */
const SPAN = 100

type Limits = Pick<Shape, 'types' | 'minimum' | 'maximum' | 'above' | 'below' | 'multipleOf'>

/** A number within the limits, a whole one where there is one. The `nth` of those that must differ takes no dice. */
export function numberFor(limits: Limits, dice: Dice, nth: number | undefined): number {
  const step = limits.multipleOf !== undefined && limits.multipleOf > 0 ? limits.multipleOf : 1
  const low = Math.max(limits.minimum, limits.above)
  const high = Math.min(limits.maximum, limits.below)
  const from = low === -Infinity ? Math.min(0, high - SPAN * step) : low
  const first = Math.ceil(from / step)
  const last = Math.min(Math.floor(high / step), first + SPAN)
  const count = Math.max(1, last - first + 1)
  const start = nth ?? dice(count)
  for (let tried = 0; tried <= SPAN; tried += 1) {
    const value = (first + (nth === undefined ? (start + tried) % count : start + tried)) * step
    if (isWithin(value, limits)) return value
  }
  // Between two whole numbers.
  return Number.isFinite(low + high) ? low + (high - low) / 2 : 0
}

function isWithin(value: number, { types, minimum, maximum, above, below, multipleOf: step }: Limits): boolean {
  if (!Number.isFinite(value)) return false
  if (step !== undefined && !Number.isInteger(value / step)) return false
  const isWhole = types !== undefined && !types.includes('number')
  return (!isWhole || Number.isInteger(value)) && value >= minimum && value <= maximum && value > above && value < below
}
