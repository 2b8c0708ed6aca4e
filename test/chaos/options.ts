import { parseArgs } from 'node:util'
import { faultKinds } from './faults/schedule.ts'
import { type Kind, kinds } from './history.ts'

export type Options = {
  seed: number
  seconds: number
  kinds: Kind[]
  faults: string[]
  clients: number
  apis: number
  workers: number
}

/** Kinds of traffic that a run has unless others are asked for. */
export const usualKinds: readonly Kind[] = kinds

export const usage = `npm run test:chaos -- [options]
  --seed N              replays the same faults and the same traffic; a new one each time when absent
  --seconds 60          how long faults and traffic go on
  --kinds ${kinds.join(',')}
  --faults ${Object.keys(faultKinds).join(',')}
                        or none
  --clients 16          at once, each doing one thing after another
  --apis 2, --workers 3`

/** The command line. Throws a RangeError or TypeError that says what is wrong. */
export function parseOptions(args: readonly string[], newSeed: () => number): Options | 'help' {
  const { values } = parseArgs({ args: [...args], options: flags })
  if (values.help) return 'help'
  return {
    seed: values.seed === undefined ? newSeed() : whole('seed', values.seed, 0, 2 ** 32 - 1),
    seconds: whole('seconds', values.seconds, 1, 3_600),
    kinds: listed('kinds', values.kinds, kinds, usualKinds),
    faults:
      values.faults === 'none' ? [] : listed('faults', values.faults, Object.keys(faultKinds), Object.keys(faultKinds)),
    clients: whole('clients', values.clients, 1, 256),
    apis: whole('apis', values.apis, 1, 8),
    workers: whole('workers', values.workers, 1, 8),
  }
}

const flags = {
  seed: { type: 'string' },
  seconds: { type: 'string', default: '60' },
  kinds: { type: 'string' },
  faults: { type: 'string' },
  clients: { type: 'string', default: '16' },
  apis: { type: 'string', default: '2' },
  workers: { type: 'string', default: '3' },
  help: { type: 'boolean', default: false, short: 'h' },
} as const

function whole(name: string, text: string, least: number, most: number): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new RangeError(`--${name} must be a whole number from ${least} to ${most}.`)
}

function listed<T extends string>(
  name: string,
  text: string | undefined,
  known: readonly T[],
  usual: readonly T[],
): T[] {
  if (text === undefined) return [...usual]
  return text.split(',').map((word) => {
    const found = known.find((each) => each === word)
    if (found === undefined) throw new RangeError(`--${name} knows ${known.join(', ')}.`)
    return found
  })
}
