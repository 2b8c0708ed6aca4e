import { parseArgs } from 'node:util'
import { bounded, whole } from '../options.ts'

export type Options = {
  lines: number
  pacedLines: number
  seconds: number
  rate: number
  tokens: number
  firstTokenMs: number
  tokenMs: number
  slots: number
  apis: number
  workers: number
  uploadMb: number
  json: boolean
}

export const usage = `npm run bench:batches -- [options]
  --lines 50000           of the batch
  --paced-lines 3000      of them ask a model that takes its time; the rest one that answers at once
  --seconds 20            how long the interactive calls run alone, before and after
  --rate 20               interactive calls a second, half of them to either model
  --tokens 32             in each answer
  --first-token-ms 200, --token-ms 15   how long the model that takes its time does so
  --slots 32              lines that a worker runs at once (WEIR_BATCH_CONCURRENCY)
  --apis 1, --workers 1   processes of Weir
  --upload-mb 199         a file that is uploaded at the end, to see what the API holds of it; 0 is none
  --json                  figures as JSON on stdout`

/** The command line, with every figure within bounds. Throws a RangeError or TypeError that says what is wrong. */
export function parseOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({ args: [...args], options: flags })
  if (values.help) return 'help'
  const lines = whole('lines', values.lines, 1, 100_000)
  return {
    lines,
    pacedLines: Math.min(lines, whole('paced-lines', values['paced-lines'], 0, 100_000)),
    seconds: bounded('seconds', values.seconds, 1, 600),
    rate: bounded('rate', values.rate, 1, 500),
    tokens: whole('tokens', values.tokens, 1, 4096),
    firstTokenMs: whole('first-token-ms', values['first-token-ms'], 0, 5_000),
    tokenMs: whole('token-ms', values['token-ms'], 0, 1_000),
    slots: whole('slots', values.slots, 1, 10_000),
    apis: whole('apis', values.apis, 1, 16),
    workers: whole('workers', values.workers, 1, 16),
    uploadMb: whole('upload-mb', values['upload-mb'], 0, 199),
    json: values.json,
  }
}

const flags = {
  lines: { type: 'string', default: '50000' },
  'paced-lines': { type: 'string', default: '3000' },
  seconds: { type: 'string', default: '20' },
  rate: { type: 'string', default: '20' },
  tokens: { type: 'string', default: '32' },
  'first-token-ms': { type: 'string', default: '200' },
  'token-ms': { type: 'string', default: '15' },
  slots: { type: 'string', default: '32' },
  apis: { type: 'string', default: '1' },
  workers: { type: 'string', default: '1' },
  'upload-mb': { type: 'string', default: '199' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false, short: 'h' },
} as const
