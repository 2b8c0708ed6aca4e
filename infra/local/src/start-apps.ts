import { join } from 'node:path'
import { openAppLog } from './app-log.ts'
import { openTogether } from './open-together.ts'
import { repo } from './repo.ts'
import { lastLines, spawnApp, type App } from './spawn-app.ts'

type Env = Record<string, string | undefined>

export type Apps = AsyncDisposable & {
  api: App
  worker: App
  /** Resolves with a sentence if one of them ends although nobody asked it to. */
  failed: Promise<string>
}

/** The API and one worker, with their logs in files. Disposing stops the API first, so that no work comes in. */
export async function startApps(env: { api: Env; worker: Env }, show: (line: string) => void): Promise<Apps> {
  await using resources = new AsyncDisposableStack()
  // Why an app did not start is told once, by whoever waits for it.
  let ready = false
  const showOnceReady = (line: string) => ready && show(line)
  const open = (name: 'api' | 'worker') => {
    const log = resources.use(openAppLog(join(repo.state, 'logs', `${name}.log`), showOnceReady))
    return () => spawnApp({ name, entry: repo[name], env: env[name], onLog: log.write }).catch(withHint)
  }
  const [worker, api] = await openTogether<[App, App]>(resources, [open('worker'), open('api')])

  ready = true
  const running = resources.move()
  return {
    api,
    worker,
    failed: Promise.race([endOf('API', api), endOf('worker', worker)]),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** A catalogue with mistakes is mended sooner by what does nothing but look at it. */
function withHint(error: Error): never {
  const isCatalogue = /^Model catalogue:/m.test(error.message)
  throw isCatalogue ? new Error(`${error.message}\n\n${CHECK_HINT}`, { cause: error }) : error
}

const CHECK_HINT = 'npx weir config check looks at the model catalogue again and starts nothing.'

async function endOf(name: string, app: App): Promise<string> {
  const { code, signal } = await app.exited
  return `The ${name} ended unexpectedly (${signal ?? `code ${code}`}). Its last lines:\n${lastLines(app.logs())}`
}
