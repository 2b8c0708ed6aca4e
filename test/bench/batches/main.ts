// What a large batch takes, and what it takes from those who wait: `npm run bench:batches`.
//
// One Weir (API and worker processes, Postgres and Redis of its own), two mock models: `paced` takes its time, as a real
// one does; `quick` answers at once, so that what a call to it takes is Weir's own part. Plain calls to both come at a
// steady rate from the beginning to the end. First they are alone; then a batch is uploaded and created, is validated, runs
// and is finalized beside them; then they are alone again. The first lines of the batch ask `paced`, all others `quick`:
// that is as fast as Weir can run them.
//
// How to read the figures:
// - A column is a phase; interactive calls count where they were asked. `to that of alone` is their p95 over that of the
//   phases `before` and `after` together. Between two phases the bench looks twice a second: so exact are seconds and lines.
// - The ratio that matters to a client is that of `paced`. That of `quick` shows what Weir itself adds, at its sharpest.
// - Client, mocks, Weir and its databases share the machine's cores. `at once` is bound by these: it is the limit, not
//   what a batch at a real model does.
// - `CPU of a line` is what processes used in a phase beyond what the interactive calls alone used in the same time.
// - Every line of the results is checked: one that is missing, doubled or no answer is a fault, and the run fails.
import { availableParallelism, loadavg } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { answerText } from '../mock-answer.ts'
import { openMock } from '../plain-sides.ts'
import { weirSide } from '../weir-side.ts'
import { batchClient, inputLines, type Standing } from './batch-of-lines.ts'
import { openGauges, type Spent } from './gauges.ts'
import { type Options, parseOptions, usage } from './options.ts'
import { createPhases, type PhaseName } from './phases.ts'
import { renderPhases } from './report.ts'
import { steadyLoad } from './steady-load.ts'

/** Whatever the options ask for. */
const LONGEST_RUN_MS = 60 * 60_000
const WARM_UP_MS = 5_000
const MODELS = ['paced', 'quick'] as const

const options = optionsOrExit()
const signal = AbortSignal.any([interruption(), AbortSignal.timeout(LONGEST_RUN_MS)])
const tell = (text: string) => void process.stderr.write(`${text}\n`)

await using stack = new AsyncDisposableStack()
tell(`starting, load average ${loadavg()[0]!.toFixed(1)}`)
const paced = stack.use(await openMock(options))
const quick = stack.use(await openMock({ tokens: options.tokens, firstTokenMs: 0, tokenMs: 0 }))
const settings = { WEIR_BATCH_CONCURRENCY: `${options.slots}` }
const weir = stack.use(await weirSide({ paced, quick }, { ...options, settings }))

let spent: () => Spent = () => ({ API: undefined, worker: undefined, Postgres: undefined, Redis: undefined })
const phases = createPhases(() => spent())
const gauges = stack.use(await openGauges(weir, phases.onReading))
spent = gauges.cpuMs
const client = batchClient(weir.destination)

const result = await run().catch(unlessInterrupted)
if (result) await report(result)

async function report({ batch, faults, databaseMb }: Result): Promise<void> {
  const redisPeakMb = await gauges.redisPeakMb()
  const machine = { node: process.version, cores: availableParallelism(), load: loadavg() }
  const all = phases.phases
  if (options.json) {
    console.log(JSON.stringify({ machine, options, phases: all, redisPeakMb, databaseMb, batch, faults }, undefined, 2))
  } else {
    console.log(`\n${renderPhases(all, MODELS)}`)
    console.log(
      `\nRedis at its peak ${redisPeakMb.toFixed(1)} MB; with the batch Postgres has grown by ${databaseMb.toFixed(0)} MB`,
    )
    console.log(`load average ${machine.load[0]!.toFixed(1)}`)
    console.log(`the batch: ${batch.status}, ${JSON.stringify(batch.request_counts)}, faults ${faults}`)
  }
  if (faults > 0 || all.some(({ errors }) => errors > 0)) process.exitCode = 1
}

type Result = { batch: Standing; faults: number; databaseMb: number }

/** From the first interactive call to the last. */
async function run(): Promise<Result> {
  const load = { perSecond: options.rate, models: MODELS, text: answerText(options.tokens) }
  await using _load = steadyLoad(weir.destination, load, phases.onAnswer, phases.current)
  await pause(WARM_UP_MS, undefined, { signal })
  await alone('before', 0)
  const databaseMbBefore = await gauges.databaseMb()
  const batch = await runBatch()
  const databaseMb = (await gauges.databaseMb()) - databaseMbBefore
  await alone('after', batch.request_counts.completed)
  if (options.uploadMb > 0) await uploadLarge(batch.request_counts.completed)
  phases.end(batch.request_counts.completed)
  const faults = batch.output_file_id ? await client.faultsIn(batch.output_file_id, options.lines) : options.lines
  return { batch, faults, databaseMb }
}

async function alone(name: 'before' | 'after', lines: number): Promise<void> {
  tell(`interactive calls alone, ${options.seconds} s`)
  phases.begin(name, lines)
  await pause(options.seconds * 1_000, undefined, { signal })
}

async function runBatch(): Promise<Standing> {
  tell(`a batch of ${options.lines} lines`)
  const modelOf = (line: number) => (line < options.pacedLines ? 'paced' : 'quick')
  const file = await client.upload(inputLines(options.lines, modelOf))
  phases.begin('validating', 0)
  let batch = await client.create(file)
  for await (batch of client.follow(batch.id, signal)) {
    const { completed } = batch.request_counts
    const now = phaseOf(batch)
    if (!now || now === phases.current()) continue
    tell(now)
    phases.begin(now, completed)
  }
  if (batch.status !== 'completed') tell(`it ended as ${batch.status}: ${JSON.stringify(batch.errors ?? {})}`)
  return batch
}

function phaseOf({ status, request_counts: { completed } }: Standing): PhaseName | undefined {
  if (status === 'in_progress') return completed < options.pacedLines ? 'paced' : 'at once'
  return status === 'finalizing' ? 'finalizing' : undefined
}

async function uploadLarge(lines: number): Promise<void> {
  tell(`a file of ${options.uploadMb} MB`)
  phases.begin('upload', lines)
  const megabyte = Buffer.alloc(1_048_576, 'a')
  await client.upload(Array<Uint8Array>(options.uploadMb).fill(megabyte))
}

/** Ctrl-C ends the measurement, and what was started is stopped in order; a second one ends us at once. */
function interruption(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort(new Error(name)))
  return controller.signal
}

/** What was started is still stopped in order: that is for the end of this file. */
function unlessInterrupted(error: unknown): undefined {
  if (!signal.aborted) throw error
  tell(`ended early: ${signal.reason.message}`)
  process.exitCode = 1
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
