import { type Bench, type Report, spreadsOf } from '../bench.ts'
import { runRounds } from '../run-rounds.ts'
import { median, percentile } from '../statistics.ts'
import { renderTable } from '../table.ts'
import { MOST_LATENCY } from '../thresholds.ts'
import { checkBooks } from '../ways.ts'
import { bareInserts } from '../ways/bare-inserts.ts'

const IN_FLIGHT = 8

/** How long one waits when few are there, beside a bare INSERT on a connection for each: what a commit costs at least. */
export async function latency({ server, ways, accounts, options }: Bench): Promise<Report> {
  await server.copy('bare_inserts')
  await using bare = await bareInserts(server.connect('bare_inserts', IN_FLIGHT))
  const ours = spreadsOf(accounts).map(({ spread, accounts }) => ({ name: spread, way: ways.ours, accounts }))
  const members = [{ name: bare.name, way: bare, accounts }, ...ours]

  const slices = await runRounds([members], options.rounds, async ({ way, accounts }) => {
    const window = { leadInMs: 300, lengthMs: options.seconds * 1_000 }
    const { latenciesMs } = await way.run({ accounts, inFlight: IN_FLIGHT }, window)
    return { p50: percentile(latenciesMs, 0.5), p99: percentile(latenciesMs, 0.99) }
  })
  await checkBooks([ways.ours])

  const figuresOf = (member: (typeof members)[number]) => ({
    p50: median(slices.get(member)!.map(({ p50 }) => p50)),
    p99: median(slices.get(member)!.map(({ p99 }) => p99)),
  })
  const ratioOf = (member: (typeof members)[number]) => figuresOf(member).p50 / figuresOf(members[0]!).p50
  return {
    text: renderTable(
      [`${IN_FLIGHT} in flight`, 'p50 ms', 'p99 ms', 'to an INSERT'],
      members.map((member) => {
        const { p50, p99 } = figuresOf(member)
        return [member.way === bare ? bare.name : `${member.way.name}, ${member.name}`, p50, p99, ratioOf(member)]
      }),
    ),
    thresholds: ours.map((member) => ({
      what: `${member.name}, ${IN_FLIGHT} in flight: p50 to that of ${bare.name}`,
      figure: ratioOf(member),
      most: MOST_LATENCY,
      unit: 'x',
    })),
  }
}
