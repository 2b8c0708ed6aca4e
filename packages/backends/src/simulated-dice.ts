/** A number from 0 up to a bound; another one each time. */
export type Dice = (sides: number) => number

/** The same seed throws the same numbers, on every machine. */
export function createDice(seed: number): Dice {
  let state = seed >>> 0
  return (sides) => {
    // mulberry32: a few lines that pass for random, which is all that a made-up answer needs.
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides
  }
}
