// One of several processes that load the same database. It is told over the channel to its parent what to do, and answers
// with what it counted. Its connections stay open from one load to the next.
import type { Slice, Workload } from './callers.ts'
import { openPool } from './server.ts'
import type { Way } from './way.ts'
import { type AskedWay, askedWays } from './ways.ts'
import type { Window } from './window.ts'

export type Load = {
  way: AskedWay
  url: string
  connections: number
  workload: Workload
  window: Pick<Window, 'leadInMs' | 'lengthMs'>
}
export type Counted = Pick<Slice, 'pairs' | 'seconds'>

const open = new Map<AskedWay, Way>()

process.on('message', async ({ way: name, url, connections, workload, window }: Load) => {
  const way = open.get(name) ?? askedWays[name].open(openPool(url, connections))
  open.set(name, way)
  const { pairs, seconds } = await way.run(workload, window)
  process.send!({ pairs, seconds } satisfies Counted)
})
process.on('disconnect', () => process.exit())
