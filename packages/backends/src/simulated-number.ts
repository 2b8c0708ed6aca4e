import type { Dice } from './simulated-dice.ts'
import type { Shape } from './simulated-schema.ts'

/** Numbers are taken from so wide a range, where the schema leaves it open. */
const SPAN = 100
/** Of so many parts of a large number one is the least that can be added to it. */
const FINEST = 2 ** -50

type Limits = Pick<Shape, 'types' | 'minimum' | 'maximum' | 'above' | 'below' | 'multipleOf'>

/**
 * A number within the limits, a whole one where there is one. The `nth` of those that must differ takes no dice. Where
 * none is found it is one near them: never one that JSON cannot say.
 */
export function numberFor(limits: Limits, dice: Dice, nth: number | undefined): number {
  const low = Math.max(limits.minimum, limits.above)
  const high = Math.min(limits.maximum, limits.below)
  const nearest = Number.isFinite(low) ? low : Number.isFinite(high) ? high : 0
  const isStepped = limits.multipleOf !== undefined && limits.multipleOf > 0
  const step = isStepped ? limits.multipleOf! : Math.max(1, Math.abs(nearest) * FINEST)
  const from = Number.isFinite(low) ? low : Math.max(-Number.MAX_VALUE, Math.min(0, high - SPAN * step))
  const first = Math.ceil(from / step)
  const last = Math.min(Math.floor(high / step), first + SPAN)
  const count = last >= first ? last - first + 1 : 1
  const start = nth ?? dice(count)
  for (let tried = 0; tried <= SPAN; tried += 1) {
    const value = (first + (nth === undefined ? (start + tried) % count : start + tried)) * step
    if (isWithin(value, limits)) return value
  }
  // Between two whole numbers. Half of each: the difference of large ones is beyond all numbers.
  return Number.isFinite(low) && Number.isFinite(high) ? low / 2 + high / 2 : nearest
}

function isWithin(value: number, { types, minimum, maximum, above, below, multipleOf: step }: Limits): boolean {
  if (!Number.isFinite(value)) return false
  if (step !== undefined && !Number.isInteger(value / step)) return false
  const isWhole = types !== undefined && !types.includes('number')
  return (!isWhole || Number.isInteger(value)) && value >= minimum && value <= maximum && value > above && value < below
}
