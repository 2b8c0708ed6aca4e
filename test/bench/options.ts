import { parseArgs } from 'node:util'

export const sideNames = ['mock', 'pass-through', 'weir'] as const
export type SideName = (typeof sideNames)[number]

export type Options = {
  seconds: number
  connections: number[]
  tokens: number
  firstTokenMs: number
  tokenMs: number
  rounds: number
  apis: number
  workers: number
  sides: SideName[]
  json: boolean
}

export const usage = `npm run bench -- [options]
  --seconds 3             how long each slice counts
  --rounds 4              slices of each kind; figures are medians over them
  --connections 1,64      clients at once, each asking again when it is answered
  --tokens 32             in each answer of the mock model
  --first-token-ms 0      how long the mock thinks
  --token-ms 0            between two tokens; 0 is the whole answer in one write
  --apis 1, --workers 1   processes of Weir
  --sides pass-through,weir    also: mock, the model server alone
  --json                  figures as JSON on stdout`

/** The command line, with every figure within bounds. Throws a RangeError or TypeError that says what is wrong. */
export function parseOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({ args: [...args], options: flags })
  if (values.help) return 'help'
  return {
    seconds: bounded('seconds', values.seconds, 0.2, 60),
    rounds: whole('rounds', values.rounds, 1, 50),
    connections: values.connections.split(',').map((count) => whole('connections', count, 1, 1024)),
    tokens: whole('tokens', values.tokens, 1, 4096),
    firstTokenMs: whole('first-token-ms', values['first-token-ms'], 0, 5_000),
    tokenMs: whole('token-ms', values['token-ms'], 0, 1_000),
    apis: whole('apis', values.apis, 1, 16),
    workers: whole('workers', values.workers, 1, 16),
    sides: values.sides.split(',').map(sideName),
    json: values.json,
  }
}

const flags = {
  seconds: { type: 'string', default: '3' },
  rounds: { type: 'string', default: '4' },
  connections: { type: 'string', default: '1,64' },
  tokens: { type: 'string', default: '32' },
  'first-token-ms': { type: 'string', default: '0' },
  'token-ms': { type: 'string', default: '0' },
  apis: { type: 'string', default: '1' },
  workers: { type: 'string', default: '1' },
  sides: { type: 'string', default: 'pass-through,weir' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false, short: 'h' },
} as const

export function bounded(name: string, text: string, least: number, most: number): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (!(value >= least && value <= most)) throw new RangeError(`--${name} must be from ${least} to ${most}.`)
  return value
}

export function whole(name: string, text: string, least: number, most: number): number {
  const value = bounded(name, text, least, most)
  if (!Number.isInteger(value)) throw new RangeError(`--${name} must be a whole number.`)
  return value
}

function sideName(name: string): SideName {
  const known = sideNames.find((side) => side === name)
  if (!known) throw new RangeError(`--sides knows ${sideNames.join(', ')}.`)
  return known
}
