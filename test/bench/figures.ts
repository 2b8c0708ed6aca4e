import { cpuTimeOf } from './cpu-time.ts'
import { runLoad } from './load.ts'
import type { Side } from './side.ts'
import { median, percentile } from './statistics.ts'
import type { Workload } from './workload.ts'

/** What one slice, or the median over several, says of a side. Undefined is what cannot be known here. */
export type Figures = {
  requestsPerSecond: number | undefined
  latencyP50Ms: number | undefined
  latencyP99Ms: number | undefined
  firstTokenP50Ms: number | undefined
  firstTokenP99Ms: number | undefined
  /** Per complete answer: of the side's own processes. */
  cpuMs: number | undefined
  /** Per complete answer: of what it leans on. */
  cpuMsOf: Record<string, number | undefined>
  /** Answers that were refused, broken or incomplete: a sum, never a median. */
  errors: number
}

const LEAD_IN_MS = 300

export type Stint = { seconds: number; signal: AbortSignal }

/** Loads one side for one slice of time. */
export async function measure(side: Side, workload: Workload, { seconds, signal }: Stint): Promise<Figures> {
  const groups: Side['leansOn'] = { own: side.pids, ...side.leansOn }
  const edges: Record<string, number | undefined>[] = []
  const atEdge = () => void edges.push(mapValues(groups, (pids) => pids && cpuTimeOf(pids)))

  const window = { leadInMs: LEAD_IN_MS, lengthMs: seconds * 1000, atEdge, signal }
  const slice = await runLoad(side.destination, workload, window)

  const [before = {}, after = {}] = edges
  const perAnswer = (group: string): number | undefined => {
    const [from, to] = [before[group], after[group]]
    return from === undefined || to === undefined || slice.answered === 0 ? undefined : (to - from) / slice.answered
  }
  return {
    requestsPerSecond: slice.answered / slice.seconds,
    latencyP50Ms: percentile(slice.latenciesMs, 0.5),
    latencyP99Ms: percentile(slice.latenciesMs, 0.99),
    firstTokenP50Ms: percentile(slice.firstTokensMs, 0.5),
    firstTokenP99Ms: percentile(slice.firstTokensMs, 0.99),
    cpuMs: perAnswer('own'),
    cpuMsOf: Object.fromEntries(Object.keys(side.leansOn).map((group) => [group, perAnswer(group)])),
    errors: slice.wrong,
  }
}

/** The median of each figure over the rounds, so that one noisy slice does not speak for all. */
export function medianFigures(slices: readonly Figures[]): Figures {
  const middle = (figure: (slice: Figures) => number | undefined) => median(slices.map(figure))
  return {
    requestsPerSecond: middle((slice) => slice.requestsPerSecond),
    latencyP50Ms: middle((slice) => slice.latencyP50Ms),
    latencyP99Ms: middle((slice) => slice.latencyP99Ms),
    firstTokenP50Ms: middle((slice) => slice.firstTokenP50Ms),
    firstTokenP99Ms: middle((slice) => slice.firstTokenP99Ms),
    cpuMs: middle((slice) => slice.cpuMs),
    cpuMsOf: mapValues(slices[0]?.cpuMsOf ?? {}, (_, group) => middle((slice) => slice.cpuMsOf[group])),
    errors: slices.reduce((sum, slice) => sum + slice.errors, 0),
  }
}

function mapValues<From, To>(record: Readonly<Record<string, From>>, map: (value: From, key: string) => To) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)])) as Record<string, To>
}
