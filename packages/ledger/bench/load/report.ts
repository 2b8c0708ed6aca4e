import { median, percentile } from '../statistics.ts'
import type { Plans } from './explain-statements.ts'
import type { Size } from './sizes.ts'
import type { Times } from './time-statements.ts'
import type { Chore } from './upkeep.ts'

/** A table as Markdown, to be read as it is or put into a page. */
function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`
  const rule = head.map((_, column) => (column === 0 ? '---' : '---:'))
  return [line(head), line(rule), ...rows.map(line)].join('\n')
}

const MB = 1_000_000
const whole = (value: number): string => Math.round(value).toLocaleString('en')
const ms = (value: number): string => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)

/** The tables with a share worth telling; the rest is one line. */
export function sizesTable(sizes: readonly Size[], completions: number): string {
  const large = sizes.filter(({ tableBytes }) => tableBytes > MB)
  const small = sizes.filter(({ tableBytes }) => tableBytes <= MB)
  const sum = (some: readonly Size[], of: (size: Size) => number) => some.reduce((total, size) => total + of(size), 0)
  const rowOf = (name: string, some: readonly Size[]) => {
    const [tables, indexes] = [sum(some, (size) => size.tableBytes), sum(some, (size) => size.indexBytes)]
    const bytesEach = (tables + indexes) / completions
    return [name, whole(sum(some, ({ rows }) => rows)), whole(tables / MB), whole(indexes / MB), whole(bytesEach)]
  }
  return table(
    ['', 'rows', 'table MB', 'indexes MB', 'bytes per completion'],
    [...large.map((size) => rowOf(size.name, [size])), rowOf('all others', small), rowOf('together', sizes)],
  )
}

export const timesTable = (names: readonly string[], times: readonly Times[]): string =>
  table(
    ['median / p99 ms', ...names],
    [...times[0]!.keys()].map((statement) => [
      statement,
      ...times.map((of) => {
        const took = of.get(statement)!
        return `${ms(median(took))} / ${ms(percentile(took, 0.99))}`
      }),
    ]),
  )

export const plansText = (plans: Plans): string =>
  [...plans].map(([statement, lines]) => [statement, ...lines.map((line) => `  ${line}`)].join('\n')).join('\n')

export const choresTable = (chores: readonly Chore[]): string =>
  table(
    [
      '',
      'seconds',
      'attempts',
      'operations meanwhile',
      'their p99 ms',
      'longest ms',
      'p99 ms before',
      'longest ms before',
    ],
    chores.map(({ name, seconds, attempts, before, during }) => [
      name,
      seconds.toFixed(2),
      attempts,
      whole(during.operations),
      ...[during.p99Ms, during.longestMs, before.p99Ms, before.longestMs].map(ms),
    ]),
  )
