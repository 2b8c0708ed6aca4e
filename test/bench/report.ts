import type { Figures } from './figures.ts'
import type { Result } from './run-rounds.ts'
import { titleOf } from './workload.ts'

const LABEL_WIDTH = 30
const COLUMN_WIDTH = 14

type Row = { label: string; of: (figures: Figures) => number | undefined; decimals: number; ratio: boolean }

/** A block for each workload: a column for each side, and behind the yardstick's the ratio of each other to it. */
export const renderResults = (results: readonly Result[], yardstick: string): string =>
  results.map((result) => renderResult(result, yardstick)).join('\n\n')

function renderResult({ workload, figures }: Result, yardstick: string): string {
  const sides = Object.keys(figures)
  const others = sides.filter((side) => side !== yardstick)
  const compared = yardstick in figures ? others : []
  const head = [...sides, ...compared.map((side) => (others.length === 1 ? 'ratio' : `${side} ratio`))]

  const lines = rowsOf(workload.mode === 'stream', Object.values(figures)).map(({ label, of, decimals, ratio }) => {
    const values = sides.map((side) => shown(of(figures[side]!), decimals))
    const ratios = compared.map((side) => (ratio ? ratioOf(of(figures[side]!), of(figures[yardstick]!)) : ''))
    return lineOf(label, [...values, ...ratios])
  })
  return [lineOf(titleOf(workload), head), ...lines].join('\n')
}

function rowsOf(streamed: boolean, all: readonly Figures[]): Row[] {
  const leanedOn = [...new Set(all.flatMap(({ cpuMsOf }) => Object.keys(cpuMsOf)))]
  const cpu = { decimals: 3, ratio: false }
  return [
    { label: 'requests/s', of: (figures) => figures.requestsPerSecond, decimals: 0, ratio: true },
    { label: 'latency p50, ms', of: (figures) => figures.latencyP50Ms, decimals: 2, ratio: true },
    { label: 'latency p99, ms', of: (figures) => figures.latencyP99Ms, decimals: 2, ratio: true },
    ...(streamed ? firstTokenRows : []),
    { label: 'CPU per request, ms', of: (figures) => figures.cpuMs, decimals: 3, ratio: true },
    ...leanedOn.map((name): Row => ({ label: `  and of ${name}, ms`, of: ({ cpuMsOf }) => cpuMsOf[name], ...cpu })),
    { label: 'errors', of: (figures) => figures.errors, decimals: 0, ratio: false },
  ]
}

const firstTokenRows: Row[] = [
  { label: 'first token p50, ms', of: (figures) => figures.firstTokenP50Ms, decimals: 2, ratio: true },
  { label: 'first token p99, ms', of: (figures) => figures.firstTokenP99Ms, decimals: 2, ratio: true },
]

const lineOf = (label: string, cells: readonly string[]): string =>
  `${label.padEnd(LABEL_WIDTH)}${cells.map((cell) => cell.padStart(COLUMN_WIDTH)).join('')}`.trimEnd()

const shown = (value: number | undefined, decimals: number): string => value?.toFixed(decimals) ?? '-'

const ratioOf = (value: number | undefined, to: number | undefined): string =>
  value === undefined || !to ? '-' : `${(value / to).toFixed(2)}x`
