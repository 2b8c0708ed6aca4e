import type { Database } from '@weir/runtime'
import { faultsOf } from './books.ts'
import { type Slice, type Submit, type Workload, runCallers } from './callers.ts'
import type { Window } from './window.ts'

/** One way of keeping the books, on a database of its own. */
export type Way = AsyncDisposable & {
  name: string
  /** Loads it for one slice of time. */
  run(workload: Workload, window: Window): Promise<Slice>
  /** What is wrong with what it wrote. */
  faults(): Promise<string[]>
}

/** A way whose callers wait for verdicts. */
export function askedWay(name: string, db: Database, submit: Submit): Way {
  return {
    name,
    run: (workload, window) => runCallers(submit, workload, window),
    faults: () => faultsOf(db),
    [Symbol.asyncDispose]: () => db.destroy(),
  }
}
