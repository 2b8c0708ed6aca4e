import type { Round } from './hot-statements.ts'

/** How long each run of each statement took, as its caller waits for it. */
export type Times = Map<string, number[]>

/** So often everything is done before it counts: Postgres keeps a plan from the sixth time on. */
const WARM_UPS = 10

/** Times the same rounds on several books, run by run in turns: what else the machine does falls on all of them alike. */
export async function timeStatements(books: readonly (readonly Round[])[], runs: number): Promise<Times[]> {
  const times = books.map((): Times => new Map())
  for (const [which] of books[0]!.entries()) {
    for (let run = -WARM_UPS; run < runs; run++) {
      for (const [index, rounds] of books.entries()) {
        await rounds[which]!(async (statement, work) => {
          const asked = performance.now()
          const result = await work()
          const ms = performance.now() - asked
          if (run >= 0) times[index]!.set(statement, [...(times[index]!.get(statement) ?? []), ms])
          return result
        })
      }
    }
  }
  return times
}
