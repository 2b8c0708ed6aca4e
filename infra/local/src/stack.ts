import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openLock } from './open-lock.ts'
import { openTogether } from './open-together.ts'
import { openPostgres } from './postgres.ts'
import { silent, timed, type Progress } from './progress.ts'
import { openRedis } from './redis.ts'
import type { RunningServer } from './running-server.ts'

export type StackOptions = {
  /** Where servers of our own keep their data. */
  dir: string
  /** A Postgres or Redis that already runs; none of our own is started then. */
  databaseUrl?: string | undefined
  redisUrl?: string | undefined
  durable?: boolean
  progress?: Progress
}

export type Stack = AsyncDisposable & {
  databaseUrl: string
  redisUrl: string
  /** Resolves with a sentence if a server of ours ends although nobody asked it to. */
  failed: Promise<string>
}

/** Postgres and Redis, given or our own. Disposing stops our own: Redis first, Postgres last. */
export async function openStack(options: StackOptions): Promise<Stack> {
  const { dir, databaseUrl, redisUrl, durable = true, progress = silent } = options
  if (databaseUrl && redisUrl) return { databaseUrl, redisUrl, failed: never, [Symbol.asyncDispose]: async () => {} }

  await using resources = new AsyncDisposableStack()
  await mkdir(dir, { recursive: true })
  resources.use(openLock(join(dir, 'lock'), `The data in ${dir}`))

  const own = { log: progress.note, durable }
  const ownPostgres = () => timed(progress, readyText, () => openPostgres({ dir: join(dir, 'postgres'), ...own }))
  const ownRedis = () => timed(progress, readyText, () => openRedis({ dir: join(dir, 'redis'), ...own }))
  const [postgres, redis] = await openTogether<[Server, Server]>(resources, [
    databaseUrl ? nothing : ownPostgres,
    redisUrl ? nothing : ownRedis,
  ])

  const running = resources.move()
  return {
    databaseUrl: databaseUrl ?? urlOf(postgres),
    redisUrl: redisUrl ?? urlOf(redis),
    failed: Promise.race([postgres, redis].map(unexpectedEnd)),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

type Server = RunningServer | undefined

const nothing = async () => undefined

function urlOf(server: Server): string {
  if (!server) throw new Error('A server was neither given nor started')
  return server.url
}

function readyText({ version, port }: RunningServer): string {
  return `${version} ready on 127.0.0.1:${port}`
}

async function unexpectedEnd(server: Server): Promise<string> {
  if (!server) return never
  const { code, signal } = await server.exited
  return `${server.version} ended (${signal ?? `code ${code}`})`
}

const never = new Promise<never>(() => {})
