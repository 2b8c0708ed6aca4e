import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createAccount, type NewAccount } from '../admin-client.ts'
import { repo } from '../repo.ts'
import { newSecrets } from '../secrets.ts'
import { spawnApp, type App } from '../spawn-app.ts'
import { openTempDir } from './temp-dir.ts'
import { openTestDatabase } from './test-database.ts'
import { openTestRedis } from './test-redis.ts'

type Env = Record<string, string | undefined>

export type WeirOptions = {
  /** How many API and worker processes to begin with. */
  apis?: number
  workers?: number
  /** Added to the environment of each of them. */
  apiEnv?: Env
  workerEnv?: Env
  /** The text of a weir.yaml. */
  config?: string
}

export type Weir = AsyncDisposable & {
  /** The first API's address. */
  url: string
  urls: string[]
  apis: App[]
  workers: App[]
  adminKey: string
  /** As the owner of the database; the processes have a lesser login. */
  databaseUrl: string
  redisUrl: string
  redisPrefix: string
  createAccount(account?: { credits?: number; name?: string }): Promise<NewAccount>
  /** One more process; it joins `apis` and `urls`, or `workers`. */
  startApi(env?: Env): Promise<App>
  startWorker(env?: Env): Promise<App>
}

/** Weir as real processes, on a database and a key prefix of its own. Everything is stopped and removed when disposed. */
export async function openWeir(options: WeirOptions = {}): Promise<Weir> {
  await using resources = new AsyncDisposableStack()
  const database = resources.use(await openTestDatabase())
  const redis = resources.use(await openTestRedis())
  const configPath = options.config === undefined ? undefined : await writeConfig(resources, options.config)
  const secrets = newSecrets()

  const common: Env = {
    DATABASE_URL: database.appUrl,
    REDIS_URL: redis.url,
    WEIR_REDIS_PREFIX: redis.prefix,
    WEIR_CONFIG: configPath,
    WEIR_KEY_PEPPER: secrets.keyPepper,
    LOG_LEVEL: 'warn',
  }
  const ofApi = {
    PORT: '0',
    HOST: '127.0.0.1',
    WEIR_ADMIN_KEY: secrets.adminKey,
    WEIR_RECEIPT_KEY: secrets.receiptKey,
  }
  const workers = openFleet(resources, 'worker', { ...common, ...options.workerEnv })
  // Opened last and so stopped first: no work comes in while the workers finish.
  const apis = openFleet(resources, 'api', { ...common, ...ofApi, ...options.apiEnv })
  await settleAll([...times(options.workers ?? 1, workers.start), ...times(options.apis ?? 1, apis.start)])

  const running = resources.move()
  const urls = () => apis.apps.map(({ port }) => `http://127.0.0.1:${port}`)
  const firstUrl = () => urls()[0] ?? ''
  return {
    get url() {
      return firstUrl()
    },
    get urls() {
      return urls()
    },
    apis: apis.apps,
    workers: workers.apps,
    adminKey: secrets.adminKey,
    databaseUrl: database.url,
    redisUrl: redis.url,
    redisPrefix: redis.prefix,
    createAccount: ({ credits = 100, name = `test-${randomBytes(3).toString('hex')}` } = {}) =>
      createAccount({ url: firstUrl(), adminKey: secrets.adminKey }, { name, credits }),
    startApi: apis.start,
    startWorker: workers.start,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** Processes of one kind, stopped together. */
function openFleet(resources: AsyncDisposableStack, name: 'api' | 'worker', common: Env) {
  const apps: App[] = []
  const start = async (env: Env = {}): Promise<App> => {
    const app = await spawnApp({ name, entry: repo[name], env: { ...common, ...env } })
    apps.push(app)
    return app
  }
  resources.defer(async () => void (await Promise.all(apps.map((app) => app.stop()))))
  return { apps, start }
}

function times<T>(count: number, start: () => Promise<T>): Promise<T>[] {
  return Array.from({ length: count }, () => start())
}

/** Waits for all, so that whoever cleans up after a failure knows everything that has started. */
async function settleAll(starts: Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(starts)) if (result.status === 'rejected') throw result.reason
}

async function writeConfig(resources: AsyncDisposableStack, text: string): Promise<string> {
  const { path: dir } = resources.use(await openTempDir())
  const path = join(dir, 'weir.yaml')
  await writeFile(path, text)
  return path
}
