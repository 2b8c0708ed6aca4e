import { parseArgs } from 'node:util'

/** The parts of a run, in their order. */
export const sections = ['rates', 'slow-disk', 'latency', 'processes', 'growth'] as const
export type Section = (typeof sections)[number]

export type Options = { seconds: number; rounds: number; only: readonly Section[]; check: boolean }

export const usage = `npm run bench:ledger -- [options]
  --seconds 1     how long each slice counts
  --rounds 3      slices of each kind; figures are medians over them
  --only a,b      of ${sections.join(', ')}; all by default
  --check         exit with 1 when a threshold is missed`

/** The command line, with every figure within bounds. Throws a RangeError or TypeError that says what is wrong. */
export function parseOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({ args: [...args], options: flags })
  if (values.help) return 'help'
  const rounds = bounded('rounds', values.rounds, 1, 50)
  if (!Number.isInteger(rounds)) throw new RangeError('--rounds must be a whole number.')
  return {
    seconds: bounded('seconds', values.seconds, 0.2, 60),
    rounds,
    only: values.only?.split(',').map(sectionNamed) ?? sections,
    check: values.check,
  }
}

const flags = {
  seconds: { type: 'string', default: '1' },
  rounds: { type: 'string', default: '3' },
  only: { type: 'string' },
  check: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false, short: 'h' },
} as const

function bounded(name: string, text: string, least: number, most: number): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (!(value >= least && value <= most)) throw new RangeError(`--${name} must be from ${least} to ${most}.`)
  return value
}

function sectionNamed(name: string): Section {
  const known = sections.find((section) => section === name)
  if (!known) throw new RangeError(`--only knows ${sections.join(', ')}.`)
  return known
}
