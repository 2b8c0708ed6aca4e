import type { AccountId } from '@weir/contracts'
import type { Server } from './server.ts'
import type { Way } from './way.ts'
import { groupCommits } from './ways/group-commits.ts'
import { oneCallEach } from './ways/one-call-each.ts'
import { oneTransactionEach } from './ways/one-transaction-each.ts'
import { rowsAlone } from './ways/rows-alone.ts'

/** The first one that comes to mind, the same function for each operation, ours, and the bound. */
export type Ways = { first: Way; each: Way; ours: Way; bound: Way }

/** The ways that callers wait for: over how many connections, on which database. */
export const askedWays = {
  first: { open: oneTransactionEach, connections: 32, database: 'one_transaction_each' },
  each: { open: oneCallEach, connections: 32, database: 'one_call_each' },
  ours: { open: groupCommits, connections: 1, database: 'group_commits' },
} as const
export type AskedWay = keyof typeof askedWays

/** Each on a copy of the database. The bound writes rows for these accounts. */
export async function openWays(server: Server, all: readonly AccountId[], stack: AsyncDisposableStack): Promise<Ways> {
  async function openAsked(name: AskedWay) {
    const { open, connections, database } = askedWays[name]
    await server.copy(database)
    return stack.use(open(server.connect(database, connections)))
  }
  const asked = { first: await openAsked('first'), each: await openAsked('each'), ours: await openAsked('ours') }
  await server.copy('rows_alone')
  return { ...asked, bound: stack.use(await rowsAlone(server.connect('rows_alone', 1), all)) }
}

/** The books are checked after everything that was measured: figures of a way that loses credits would mean nothing. */
export async function checkBooks(ways: readonly Way[]): Promise<void> {
  for (const { name, faults } of ways) {
    const found = await faults()
    if (found.length > 0) throw new Error(`The books of "${name}" are not whole: ${found.join('; ')}.`)
  }
}
