import { parseArgs } from 'node:util'

export type Options = { completions: number; runs: number }

export const usage = `npm run load:ledger -- [options]
  --completions 100000   so many are loaded, besides the 10,000 that everything is compared with
  --runs 60              of each statement that is timed`

/** The command line, with every figure within bounds. Throws a RangeError or TypeError that says what is wrong. */
export function parseOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({ args: [...args], options: flags })
  if (values.help) return 'help'
  return {
    completions: bounded('completions', values.completions, 10_000, 100_000_000),
    runs: bounded('runs', values.runs, 2, 1_000),
  }
}

const flags = {
  completions: { type: 'string', default: '100000' },
  runs: { type: 'string', default: '60' },
  help: { type: 'boolean', default: false, short: 'h' },
} as const

function bounded(name: string, text: string, least: number, most: number): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (!Number.isInteger(value) || value < least || value > most)
    throw new RangeError(`--${name} must be a whole number from ${least} to ${most}.`)
  return value
}
