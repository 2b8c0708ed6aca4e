import fc from 'fast-check'

const { WEIR_FUZZ_RUNS: more } = process.env

/** The same inputs every time, unless more are asked for. */
const RUNS = 150
/** Requests in flight at once. */
const AT_ONCE = 8

/** Tries a property of the server on many inputs, some at a time, and tells the smallest that breaks it. */
export async function fuzzed<Input>(
  inputs: fc.Arbitrary<Input>,
  holds: (input: Input) => Promise<void>,
): Promise<void> {
  const several = fc.array(inputs, { minLength: 1, maxLength: AT_ONCE, size: 'max' })
  const property = fc.asyncProperty(several, async (some) => void (await Promise.all(some.map(holds))))
  const settings = more === undefined ? { seed: 20_261_121, numRuns: RUNS / 5 } : { numRuns: Number(more) }
  await fc.assert(property, { ...settings, endOnFailure: false, interruptAfterTimeLimit: 600_000 })
}
