import { type Bench, type Report, spreadsOf } from '../bench.ts'
import { type Figures, measure, medianFigures } from '../figures.ts'
import { runRounds } from '../run-rounds.ts'
import { renderTable } from '../table.ts'
import { LEAST_GAIN, LEAST_OF_BOUND } from '../thresholds.ts'
import { checkBooks } from '../ways.ts'

/** Pairs a second: every way, on one account and on many, with few callers and with many. */
export async function rates({ server, ways, accounts, options }: Bench, disk = ''): Promise<Report> {
  const { first, each, ours, bound } = ways
  const all = [first, each, ours, bound]
  const settings = spreadsOf(accounts).flatMap((of) => ([64, 500] as const).map((inFlight) => ({ ...of, inFlight })))
  const groups = settings.map((setting) => all.map((way) => ({ way, setting })))

  const slices = await runRounds(groups, options.rounds, ({ way, setting }) =>
    measure(server, way, setting, options.seconds),
  )
  await checkBooks(all)

  const reports = settings.map(({ spread, inFlight }, index): Report => {
    const title = `${spread}, ${inFlight} in flight${disk}`
    const figures = new Map(groups[index]!.map((member) => [member.way, medianFigures(slices.get(member)!)]))
    const gainTo = (way: typeof ours) => figures.get(ours)!.pairsPerSecond / figures.get(way)!.pairsPerSecond
    return {
      text: renderTable(
        [title, ...columns],
        all.map((way) => rowOf(way.name, figures.get(way)!, way === ours ? undefined : gainTo(way))),
      ),
      thresholds: [
        { what: `${title}: to ${first.name}`, figure: gainTo(first), least: LEAST_GAIN[spread][inFlight], unit: 'x' },
        { what: `${title}: of ${bound.name}`, figure: gainTo(bound) * 100, least: LEAST_OF_BOUND, unit: '%' },
      ],
    }
  })
  return {
    text: reports.map(({ text }) => text).join('\n\n'),
    thresholds: reports.flatMap(({ thresholds }) => thresholds),
  }
}

const columns = ['pairs/s', 'ours to it', 'p50 ms', 'p99 ms', 'CPU us/pair', 'WAL bytes/pair']

const rowOf = (name: string, figures: Figures, gain: number | undefined) => [
  name,
  figures.pairsPerSecond,
  gain === undefined ? '' : `${gain.toFixed(2)}x`,
  figures.p50Ms,
  figures.p99Ms,
  figures.cpuUsPerPair,
  figures.walBytesPerPair,
]
