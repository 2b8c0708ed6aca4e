import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AccountId } from '@weir/contracts'
import { type Journal, readJournal } from './journal.ts'
import type { Random } from './random.ts'

export type Load = AsyncDisposable & {
  /** Resolves when so many more operations have been acknowledged. */
  goesOn(count: number): Promise<void>
  /** kill -9 of one client in the midst of its work; another one takes its place. */
  killOne(): Promise<void>
  /** Lets the clients finish what they have begun, and gives what all have noted, the killed ones as well. */
  finish(): Promise<Journal>
}

type LoadOptions = { url: string; dir: string; accounts: readonly AccountId[]; clients: number; random: Random }

const program = fileURLToPath(new URL('./client.ts', import.meta.url))

/** Clients in processes of their own that use the ledger as fast as they can. */
export function startLoad({ url, dir, accounts, clients, random }: LoadOptions): Load {
  const running = new Set<ChildProcess>()
  const busy = new Set<ChildProcess>()
  const journals: string[] = []
  const progress = new EventEmitter()
  let acknowledged = 0
  let failure: Error | undefined

  function start() {
    const journal = join(dir, `${journals.length}.journal`)
    journals.push(journal)
    // There also when the client is killed before it has noted anything.
    writeFileSync(journal, '')
    const args = [program, url, journal, String(random.between(0, 2 ** 31)), ...accounts]
    const client = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'], env: {} })
    running.add(client)
    let complaint = ''
    client.stderr.on('data', (text: Buffer) => (complaint += text))
    // One that is killed does not read what it is told.
    client.stdin.on('error', () => {})
    client.stdout.on('data', (dots: Buffer) => {
      acknowledged += dots.length
      busy.add(client)
      progress.emit('made')
    })
    client.once('close', (code, signal) => {
      running.delete(client)
      busy.delete(client)
      if (code !== 0 && signal !== 'SIGKILL')
        failure ??= new Error(`a client ended with ${code ?? signal}: ${complaint}`)
      progress.emit('made')
    })
  }

  async function end(client: ChildProcess, how: () => void): Promise<void> {
    const closed = once(client, 'close')
    how()
    await closed
  }

  for (let i = 0; i < clients; i++) start()
  return {
    async goesOn(count) {
      const goal = acknowledged + count
      while (acknowledged < goal && !failure) await once(progress, 'made')
      if (failure) throw failure
    },
    async killOne() {
      while (busy.size === 0 && !failure) await once(progress, 'made')
      if (failure) throw failure
      const client = random.pick([...busy])
      await end(client, () => client.kill('SIGKILL'))
      start()
    },
    async finish() {
      await Promise.all([...running].map((client) => end(client, () => client.stdin!.end())))
      if (failure) throw failure
      const noted = await Promise.all(journals.map(readJournal))
      return { asked: noted.flatMap(({ asked }) => asked), failures: noted.flatMap(({ failures }) => failures) }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...running].map((client) => end(client, () => client.kill('SIGKILL'))))
    },
  }
}
