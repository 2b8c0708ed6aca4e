// What Weir costs beside the least a proxy can cost: `npm run bench`.
//
// A mock model server answers at once with the same text. Three ways lead to it: a minimal Node pass-through that keeps
// no state (the yardstick), Weir (API and worker processes on a Postgres and a Redis of their own), and, with
// `--sides mock,…`, the mock asked directly, which shows what client and mock alone can do.
//
// How to read the figures:
// - They are medians over rounds in which the sides take turns. Client, mock, the side and its databases share the
//   machine's cores, so absolute rates say more about the machine than about the side. Ratios within one run, and CPU
//   per request, are what can be compared from run to run.
// - `CPU per request` is user and system time of all the side's own processes (for Weir API and workers; Postgres and
//   Redis stand below it), over the complete answers of the slice. /proc counts it in steps of 10 ms per process.
// - At 1 connection the latency is what one caller waits; at 64 it is mostly waiting for a core.
// - `first token` is the time to the first bytes with content in them.
// - An answer counts only when it is whole: status 200, the full text, a finish reason, and [DONE] for a stream. Any
//   other is an error, and errors are summed: a run with errors compares nothing.
// - Without `--token-ms` the mock writes a stream at once; with it, rates are bound by the model, as with a real one.
import { availableParallelism } from 'node:os'
import { mockSide, openMock, passThroughSide } from './plain-sides.ts'
import { answerText } from './mock-answer.ts'
import { type Options, parseOptions, usage } from './options.ts'
import { renderResults } from './report.ts'
import { runRounds } from './run-rounds.ts'
import type { Side } from './side.ts'
import { weirSide } from './weir-side.ts'
import type { Workload } from './workload.ts'

/** Whatever the options ask for. */
const LONGEST_RUN_MS = 30 * 60_000

const options = optionsOrExit()
const signal = AbortSignal.any([interruption(), AbortSignal.timeout(LONGEST_RUN_MS)])
const tell = (text: string) => void process.stderr.write(`${text}\n`)

await using stack = new AsyncDisposableStack()
tell(`starting ${options.sides.join(', ')}`)
const mock = stack.use(await openMock(options))

const openers = {
  mock: async () => mockSide(mock),
  'pass-through': () => passThroughSide(mock),
  weir: () => weirSide({ mock }, options),
}
const sides: Side[] = []
for (const name of options.sides) sides.push(stack.use(await openers[name]()))

const results = await runRounds(sides, workloadsOf(options), { ...options, tell, signal }).catch(unlessInterrupted)

const machine = { node: process.version, cores: availableParallelism(), platform: process.platform }
if (options.json) console.log(JSON.stringify({ machine, options, results }, withoutText, 2))
else if (!signal.aborted) console.log(`\n${renderResults(results, 'pass-through')}`)
if (results.some(({ figures }) => Object.values(figures).some(({ errors }) => errors > 0))) process.exitCode = 1

function workloadsOf({ connections, tokens }: Options): Workload[] {
  const text = answerText(tokens)
  const modes = ['plain', 'stream'] as const
  return modes.flatMap((mode) => connections.map((count) => ({ mode, connections: count, text })))
}

/** Ctrl-C ends the measurement, and what was started is stopped in order; a second one ends us at once. */
function interruption(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort(new Error(name)))
  return controller.signal
}

/** What was started is still stopped in order: that is for the end of this file. */
function unlessInterrupted(error: unknown): [] {
  if (!signal.aborted) throw error
  tell(`ended early: ${signal.reason.message}`)
  process.exitCode = 1
  return []
}

function withoutText(key: string, value: unknown): unknown {
  return key === 'text' ? undefined : value
}

function optionsOrExit(): Options {
  try {
    const parsed = parseOptions(process.argv.slice(2))
    if (parsed !== 'help') return parsed
    console.log(usage)
    process.exit(0)
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`)
    process.exit(2)
  }
}
