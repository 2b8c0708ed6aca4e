import type { AccountId } from '@weir/contracts'
import type { Options } from './options.ts'
import type { Server } from './server.ts'
import type { Threshold } from './thresholds.ts'
import type { Ways } from './ways.ts'

/** What the sections of a run share. */
export type Bench = {
  options: Options
  server: Server
  ways: Ways
  /** The first of them is the hot one. */
  accounts: readonly AccountId[]
}

/** What a section has to say. */
export type Report = { text: string; thresholds: Threshold[] }

/** One account that everybody uses, and many. */
export const spreadsOf = (accounts: readonly AccountId[]) =>
  [
    { spread: 'one hot account', accounts: accounts.slice(0, 1) },
    { spread: '1,000 accounts', accounts },
  ] as const
