import { join } from 'node:path'
import { appLogin } from './app-login.ts'
import { firstAccount } from './first-account.ts'
import { forceStop } from './force-stop.ts'
import { greeting } from './greeting.ts'
import { appEnv, launchConfig, metricsPorts } from './launch-config.ts'
import { runMigrations } from './migrate.ts'
import { openLock } from './open-lock.ts'
import { keptSecret } from './private-file.ts'
import { printProgress, timed } from './progress.ts'
import { repo } from './repo.ts'
import { refuseTakenMetricsPorts, refuseTakenPort } from './refuse-taken-port.ts'
import { localSecrets } from './secrets.ts'
import { openStack } from './stack.ts'
import { startApps } from './start-apps.ts'
import { listenForStop } from './stop-signals.ts'

// A terminal that was closed cannot be written to any more; that is no reason to leave the databases running.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

// Whatever ends this process, no server outlives it.
process.once('exit', forceStop)

const progress = printProgress((line) => console.log(line))
const signals = listenForStop(forceExit)

await launch().catch((error: unknown) => {
  // A step of the start that Ctrl-C has interrupted is no news.
  if (signals.isStopping()) return
  console.error(`\n✗ ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
})

/** All of Weir on this machine, until it is told to stop. What was opened last is stopped first. */
async function launch(): Promise<void> {
  const config = launchConfig(process.env)
  using _lock = openLock(join(repo.state, 'lock'), `Weir in ${repo.root}`)
  await refuseTakenPort(config.PORT)
  await refuseTakenMetricsPorts(metricsPorts(config))

  const { DATABASE_URL, REDIS_URL } = config
  const dir = join(repo.state, 'data')
  await using stack = await openStack({ dir, databaseUrl: DATABASE_URL, redisUrl: REDIS_URL, progress })
  signals.throwIfStopping()

  const warnings = await timed(
    progress,
    () => 'Database migrated',
    () => runMigrations(stack.databaseUrl),
  )
  for (const warning of warnings) progress.done(`But ${warning}`)
  signals.throwIfStopping()

  const secrets = await localSecrets(join(repo.state, 'secrets.json'), config)
  // A database of our own gets the login it should have anywhere: one that cannot change what stands in the books.
  if (DATABASE_URL)
    progress.done('Serving with the login of DATABASE_URL; better give it no more than docs/ledger.md#roles says')
  const servingUrl = DATABASE_URL ?? (await appLogin(stack.databaseUrl, await serviceLogin(dir)))
  const serving = { databaseUrl: servingUrl, redisUrl: stack.redisUrl }
  const env = appEnv({ config, stack: serving, secrets, env: process.env })
  const start = () => startApps(env, (line) => console.error(line))
  await using apps = await timed(progress, () => 'API and worker ready', start)
  signals.throwIfStopping()

  const url = `http://127.0.0.1:${apps.api.port ?? config.PORT}`
  const { databaseUrl, redisUrl } = stack
  const running = { url, adminKey: secrets.adminKey, databaseUrl, redisUrl }
  const local = await firstAccount(join(repo.state, 'local.json'), running)
  if (local.isNew) progress.done('First account made, with 100 credits')
  console.log(await greeting(local, apps))

  const failure = await Promise.race([signals.stopped, apps.failed, stack.failed])
  if (failure) throw new Error(failure)
  console.log('\nStopping …')
}

async function serviceLogin(dir: string): Promise<{ name: string; password: string }> {
  return { name: 'weir_service', password: await keptSecret(join(dir, 'service-password')) }
}

function forceExit(): void {
  forceStop()
  // Whoever waited for a child goes on now and ends by itself; this is for everything else that may hang.
  setTimeout(() => process.exit(1), 8_000).unref()
}
