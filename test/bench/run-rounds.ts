import { type Figures, measure, medianFigures, type Stint } from './figures.ts'
import type { Side } from './side.ts'
import { titleOf, type Workload } from './workload.ts'

/** One workload and what it showed of every side. */
export type Result = { workload: Workload; figures: Record<string, Figures> }

type Plan = Stint & { rounds: number; tell: (text: string) => void }

/**
 * Measures every side with every workload. The sides take turns within each workload of each round, and the turn begins
 * with another side each round: what else the machine does falls on all of them alike.
 */
export async function runRounds(sides: readonly Side[], workloads: readonly Workload[], plan: Plan): Promise<Result[]> {
  await warmUp(sides, workloads, plan)
  const slices = new Map<string, Figures[]>()
  const slicesOf = (workload: Workload, side: Side): Figures[] => {
    const key = `${titleOf(workload)} ${side.name}`
    return slices.get(key) ?? slices.set(key, []).get(key)!
  }

  for (let round = 0; round < plan.rounds; round++) {
    plan.tell(`round ${round + 1} of ${plan.rounds}`)
    for (const workload of workloads) {
      for (const side of inTurn(sides, round)) {
        slicesOf(workload, side).push(await measure(side, workload, plan))
      }
    }
  }

  return workloads.map((workload) => ({
    workload,
    figures: Object.fromEntries(sides.map((side) => [side.name, medianFigures(slicesOf(workload, side))])),
  }))
}

/** Compilers, pools and caches warm up before anything counts; a side that gives no right answer is found out here. */
async function warmUp(
  sides: readonly Side[],
  workloads: readonly Workload[],
  { seconds, signal, tell }: Plan,
): Promise<void> {
  tell('warming up')
  for (const side of sides) {
    for (const workload of workloads) {
      const { requestsPerSecond, errors } = await measure(side, workload, { seconds: Math.min(seconds, 1.5), signal })
      if (!requestsPerSecond)
        throw new Error(`${side.name} gave no right answer (${errors} wrong): ${titleOf(workload)}.`)
    }
  }
}

const inTurn = (sides: readonly Side[], round: number): Side[] =>
  sides.map((_, index) => sides[(index + round) % sides.length]!)
