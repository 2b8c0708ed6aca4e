import { type App, spawnApp } from '@weir/local'
import { openTcpProxy, type TcpProxy } from '../../e2e/testing/tcp-proxy.ts'
import { createListener, type Life, newLife } from './life.ts'

/** The place of one process, which may die and be started again in it. */
export type Slot = AsyncDisposable & {
  name: string
  /** Where its API listens; undefined while it is known to be down. */
  url(): string | undefined
  /** Its ways to the two servers; what happens to them happens to this process alone. */
  proxies: { postgres: TcpProxy; redis: TcpProxy }
  /** Starts it, and again whenever it ends by itself, as a supervisor would. Resolves when it serves. */
  start(): Promise<void>
  kill(): Promise<void>
  /** SIGTERM; resolves when it has ended. */
  drain(): Promise<void>
  freeze(): void
  thaw(): void
}

type Options = {
  name: string
  entry: string
  env: Record<string, string>
  servers: { databaseUrl: string; redisUrl: string }
  lives: Life[]
  now: () => number
  sleep: (ms: number) => Promise<void>
}

const RESTART_PAUSE_MS = 300

export async function openSlot({ name, entry, env, servers, lives, now, sleep }: Options): Promise<Slot> {
  const proxies = { postgres: await openTcpProxy(servers.databaseUrl), redis: await openTcpProxy(servers.redisUrl) }
  const settings = { ...env, DATABASE_URL: proxies.postgres.url, REDIS_URL: proxies.redis.url }
  let current: { app: App; life: Life } | undefined
  let wanted = false

  async function start(): Promise<void> {
    wanted = true
    while (wanted && !current) {
      const life = newLife(name, now())
      try {
        const app = await spawnApp({ name, entry, env: settings, onLog: createListener(life, now) })
        lives.push(life)
        current = { app, life }
        void app.exited.then((exit) => onExit(app, life, exit))
      } catch {
        // A process that finds no Postgres or no Redis at its start says so and ends: it is started again.
        await sleep(RESTART_PAUSE_MS)
      }
    }
  }

  function onExit(app: App, life: Life, exit: NonNullable<Life['exit']>) {
    life.endedAt = now()
    life.exit = exit
    life.ended ??= 'by itself'
    if (current?.app === app) current = undefined
    if (life.ended === 'by itself') void start()
  }

  async function end(how: 'by us' | 'told to stop', act: (app: App) => void): Promise<void> {
    wanted = false
    if (!current) return
    const { app, life } = current
    current = undefined
    life.ended ??= how
    if (how === 'told to stop') life.toldToStopAt = now()
    act(app)
    await app.exited
  }

  return {
    name,
    proxies,
    url: () => (current?.app.port === undefined ? undefined : `http://127.0.0.1:${current.app.port}`),
    start,
    kill: () => end('by us', (app) => app.kill('SIGKILL')),
    drain: () => end('told to stop', (app) => void app.stop()),
    freeze: () => current?.app.kill('SIGSTOP'),
    thaw: () => current?.app.kill('SIGCONT'),
    async [Symbol.asyncDispose]() {
      current?.app.kill('SIGCONT')
      await end('told to stop', (app) => void app.stop())
      await Promise.all([proxies.postgres, proxies.redis].map((proxy) => proxy[Symbol.asyncDispose]()))
    },
  }
}
