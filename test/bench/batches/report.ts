import { percentile } from '../statistics.ts'
import type { Spent } from './gauges.ts'
import { type Phase, aloneMs, cpuPerLine } from './phases.ts'

const LABEL_WIDTH = 36
const COLUMN_WIDTH = 12

type Row = { label: string; of: (phase: Phase) => number | undefined; decimals?: number }

/** A column for each phase. */
export function renderPhases(phases: readonly Phase[], models: readonly string[]): string {
  const rows: Row[] = [
    { label: 'seconds', of: ({ seconds }) => seconds, decimals: 1 },
    { label: 'lines of the batch', of: ({ lines }) => lines || undefined },
    { label: '  a second', of: ({ lines, seconds }) => (lines === 0 ? undefined : lines / seconds) },
    ...models.flatMap((model) => latencyRows(phases, model)),
    { label: 'interactive errors', of: ({ errors }) => errors },
    { label: 'API memory at most, MB', of: ({ peak }) => peak.apiRssMb },
    { label: 'worker memory at most, MB', of: ({ peak }) => peak.workerRssMb },
    { label: 'Redis memory at most, MB', of: ({ peak }) => peak.redisMb, decimals: 1 },
    { label: 'Redis keys at most', of: ({ peak }) => peak.redisKeys },
    ...cpuNames.map((name) => ({
      label: `${name}, cores busy`,
      of: (phase: Phase) => coresOf(phase, name),
      decimals: 2,
    })),
    ...cpuNames.map((name) => ({
      label: `CPU of a line, ${name}, ms`,
      of: (phase: Phase) => cpuPerLine(phases, phase, name),
      decimals: 2,
    })),
  ]
  const head = lineOf(
    '',
    phases.map(({ name }) => name),
  )
  return [
    head,
    ...rows.map((row) =>
      lineOf(
        row.label,
        phases.map((phase) => shown(row, phase)),
      ),
    ),
  ].join('\n')
}

const cpuNames: (keyof Spent)[] = ['API', 'worker', 'Postgres', 'Redis']

function latencyRows(phases: readonly Phase[], model: string): Row[] {
  const p95 = ({ latenciesMs }: Phase) => percentile(latenciesMs[model] ?? [], 0.95)
  const alone = aloneMs(phases, model, 0.95)
  return [
    {
      label: `call to ${model}, p50, ms`,
      of: ({ latenciesMs }) => percentile(latenciesMs[model] ?? [], 0.5),
      decimals: 1,
    },
    { label: `call to ${model}, p95, ms`, of: p95, decimals: 1 },
    { label: '  to that of alone', of: (phase) => ratioOf(p95(phase), alone), decimals: 2 },
  ]
}

const ratioOf = (value: number | undefined, to: number | undefined): number | undefined =>
  value === undefined || !to ? undefined : value / to

function coresOf({ cpuMs, seconds }: Phase, name: keyof Spent): number | undefined {
  const spent = cpuMs[name]
  return spent === undefined ? undefined : spent / 1_000 / seconds
}

const shown = ({ of, decimals = 0 }: Row, phase: Phase): string => of(phase)?.toFixed(decimals) ?? '-'

const lineOf = (label: string, cells: readonly string[]): string =>
  `${label.padEnd(LABEL_WIDTH)}${cells.map((cell) => cell.padStart(COLUMN_WIDTH)).join('')}`.trimEnd()
