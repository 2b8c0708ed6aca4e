import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createAccount } from '@weir/local'
import { openTempDir } from '@weir/local/testing'
import { openReceiver, type Receiver } from '../../e2e/testing/receiver.ts'
import { type ModelServer, openModelServer } from '../model/model-server.ts'
import type { Life } from './life.ts'
import { openServers, type Servers } from './servers.ts'
import { catalogueOf, common, ofApi, ofWorker } from './settings.ts'
import { openSlot, type Slot } from './slot.ts'

export type Place = AsyncDisposable & {
  servers: Servers
  model: ModelServer
  /** Who is told of events. */
  receiver: Receiver
  apis: Slot[]
  workers: Slot[]
  /** Of all processes, those that have ended included. */
  lives: Life[]
  adminKey: string
  accounts: { accountId: string; apiKey: string }[]
}

type Options = {
  apis: number
  workers: number
  accounts: number
  now: () => number
  sleep: (ms: number) => Promise<void>
}

/** No run is long enough to spend them. */
const PLENTY = 100_000_000

/** Everything a run needs, running: servers, model, processes, accounts with credits. Disposing leaves nothing behind. */
export async function openPlace({ apis, workers, accounts, now, sleep }: Options): Promise<Place> {
  await using resources = new AsyncDisposableStack()
  const servers = resources.use(await openServers(sleep))
  const model = resources.use(await openModelServer(now))
  const receiver = resources.use(await openReceiver())
  const { path: dir } = resources.use(await openTempDir())
  const config = join(dir, 'weir.yaml')
  await writeFile(config, catalogueOf(model.baseUrl))

  const lives: Life[] = []
  const adminKey = randomBytes(32).toString('base64url')
  const secrets = { WEIR_ADMIN_KEY: adminKey, WEIR_KEY_PEPPER: adminKey, WEIR_RECEIPT_KEY: adminKey }
  const envs = {
    api: { ...common, ...ofApi, ...secrets, WEIR_CONFIG: config },
    worker: { ...common, ...ofWorker, WEIR_KEY_PEPPER: adminKey, WEIR_CONFIG: config },
  }
  const open = async (kind: 'api' | 'worker', n: number) => {
    const entry = fileURLToPath(new URL(`../../../apps/${kind}/src/main.ts`, import.meta.url))
    const slot = { name: `${kind}-${n}`, entry, env: envs[kind], servers, lives, now, sleep }
    return resources.use(await openSlot(slot))
  }
  const workerSlots = await Promise.all(Array.from({ length: workers }, (_, n) => open('worker', n)))
  const apiSlots = await Promise.all(Array.from({ length: apis }, (_, n) => open('api', n)))
  await Promise.all([...workerSlots, ...apiSlots].map((slot) => slot.start()))

  const admin = { url: apiSlots[0]!.url()!, adminKey }
  const names = Array.from({ length: accounts }, (_, n) => `chaos-${n}`)
  const made = await Promise.all(names.map((name) => createAccount(admin, { name, credits: PLENTY })))

  const running = resources.move()
  return {
    servers,
    model,
    receiver,
    apis: apiSlots,
    workers: workerSlots,
    lives,
    adminKey,
    accounts: made,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
