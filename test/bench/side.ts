import type { Destination } from './load.ts'

/** One way to the model server, set up and ready to be measured. */
export type Side = {
  name: string
  destination: Destination
  /** Its own processes: their CPU time is the side's cost. */
  pids: readonly number[]
  /** What it leans on, shown apart: Postgres and Redis, where their processes can be seen. */
  leansOn: Readonly<Record<string, readonly number[] | undefined>>
  [Symbol.asyncDispose]: () => Promise<void>
}
