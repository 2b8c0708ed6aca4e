import { randomBytes } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type App, createAccount, openStack, runMigrations, spawnApp, type Stack } from '@weir/local'
import { pidListeningOn } from './pid-listening-on.ts'
import type { Side } from './side.ts'

/** A run of any length ends before these credits do. */
const PLENTY = 100_000_000

type Processes = { apis: number; workers: number; settings?: Record<string, string> }

/** What it is made of, for whoever looks closer. */
export type WeirSide = Side & { apiPids: number[]; workerPids: number[]; databaseUrl: string; redisUrl: string }

type Origins = Readonly<Record<string, { origin: string }>>

/** Weir as it runs in earnest: real processes, a durable Postgres and a Redis of its own, the mocks its only backends, each a model of that name. */
export async function weirSide(mocks: Origins, { apis, workers, settings }: Processes): Promise<WeirSide> {
  await using resources = new AsyncDisposableStack()
  // The name is that of a test run, so that what a killed run leaves behind is cleared away with those.
  const dir = join(checkout, '.weir', `test-${process.pid}-bench`)
  resources.defer(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }))
  await mkdir(dir, { recursive: true })

  const stack = resources.use(await openStack({ dir }))
  await runMigrations(stack.databaseUrl)

  const config = join(dir, 'weir.yaml')
  await writeFile(config, configOf(mocks))
  const adminKey = randomBytes(32).toString('base64url')
  const env = envOf(stack, config)
  const open = async (name: 'api' | 'worker', extra: Record<string, string>): Promise<App> =>
    resources.use(
      await spawnApp({
        name,
        entry: join(checkout, `apps/${name}/src/main.ts`),
        env: { ...env, ...settings, ...extra },
      }),
    )

  const workerApps = await Promise.all(
    Array.from({ length: workers }, () => open('worker', { WEIR_KEY_PEPPER: adminKey })),
  )
  const secrets = { WEIR_ADMIN_KEY: adminKey, WEIR_KEY_PEPPER: adminKey, WEIR_RECEIPT_KEY: adminKey }
  const ofApi = { HOST: '127.0.0.1', PORT: '0', ...secrets }
  const apiApps = await Promise.all(Array.from({ length: apis }, () => open('api', ofApi)))
  const origins = apiApps.map(({ port }) => `http://127.0.0.1:${port}`)
  const { apiKey } = await createAccount({ url: origins[0]!, adminKey }, { name: 'bench', credits: PLENTY })

  const [apiPids, workerPids] = [pidsOf(apiApps), pidsOf(workerApps)]
  const running = resources.move()
  return {
    name: 'weir',
    destination: { origins, headers: { authorization: `Bearer ${apiKey}` } },
    pids: [...apiPids, ...workerPids],
    apiPids,
    workerPids,
    databaseUrl: stack.databaseUrl,
    redisUrl: stack.redisUrl,
    leansOn: { Postgres: serverOf(stack.databaseUrl), Redis: serverOf(stack.redisUrl) },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

const checkout = fileURLToPath(new URL('../../', import.meta.url))

const pidsOf = (apps: readonly App[]): number[] => apps.map(({ pid }) => pid)

const envOf = ({ databaseUrl, redisUrl }: Stack, config: string) => ({
  DATABASE_URL: databaseUrl,
  REDIS_URL: redisUrl,
  WEIR_REDIS_PREFIX: 'bench',
  WEIR_CONFIG: config,
  LOG_LEVEL: 'warn',
})

const configOf = (mocks: Origins): string =>
  [
    'backends:',
    ...Object.entries(mocks).map(([name, { origin }]) => `  ${name}: { kind: openai, base_url: ${origin}/v1 }`),
    'models:',
    ...Object.keys(mocks).map(modelOf),
  ].join('\n')

const modelOf = (name: string): string => `
  - id: ${name}
    targets: [{ backend: ${name}, model: mock }]
    price: { input: 0.15, output: 0.60, per: 1000000 }
    max_output_tokens: 4096
    context_window: 131072`

/** The server behind a URL, to read its CPU time; none where it runs out of our sight. */
function serverOf(url: string): number[] | undefined {
  const pid = pidListeningOn(Number(new URL(url).port))
  return pid === undefined ? undefined : [pid]
}
