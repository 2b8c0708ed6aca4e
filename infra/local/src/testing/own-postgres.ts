import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { runMigrations } from '../migrate.ts'
import { openPostgres } from '../postgres.ts'
import { repo } from '../repo.ts'
import { killTree } from './own-postgres-kill.ts'

/** `killed`: by kill -9, with all its processes. `stopped`: as by `pg_ctl stop -m immediate`. Neither writes anything more. */
export type Crash = 'killed' | 'stopped'

export type OwnPostgres = AsyncDisposable & {
  url: string
  /** Resolves when the server has ended. */
  crash(how: Crash): Promise<void>
  /** Resolves when it has recovered and answers at its old address. */
  restart(): Promise<void>
}

/** A durable Postgres with the schema in place, for one test alone, which may do to it what it likes. */
export async function openOwnPostgres(): Promise<OwnPostgres> {
  await using resources = new AsyncDisposableStack()
  // Named like the directory of a test run: should this process be killed, the next run stops what it left behind.
  const run = join(repo.state, `test-${process.pid}-${randomBytes(4).toString('hex')}`)
  await mkdir(run, { recursive: true })
  resources.defer(() => rm(run, { recursive: true, force: true, maxRetries: 5 }))

  const open = () => openPostgres({ dir: join(run, 'postgres') })
  let server = await open()
  resources.defer(() => server[Symbol.asyncDispose]())
  await runMigrations(server.url)

  const { url } = server
  const opened = resources.move()
  return {
    url,
    async crash(how) {
      if (how === 'killed') await killTree(server.pid!)
      else process.kill(server.pid!, 'SIGQUIT')
      await server.exited
    },
    async restart() {
      server = await open()
      if (server.url !== url) throw new Error('Somebody took the port of the test’s own Postgres while it was down')
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}
