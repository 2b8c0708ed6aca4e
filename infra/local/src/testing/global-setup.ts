import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestProject } from 'vitest/node'
import { withConnection } from '../admin-database.ts'
import { appLogin } from '../app-login.ts'
import { forceStop } from '../force-stop.ts'
import { repo } from '../repo.ts'
import { openStack } from '../stack.ts'
import { openTemplateDatabase } from './template-database.ts'
import { removeDeadRuns } from './dead-runs.ts'
import './provided.ts'

/**
 * Before all tests: a Postgres and a Redis for this run alone, unless DATABASE_URL and REDIS_URL name some, and one
 * migrated template database. Returns what undoes it, within a minute whatever happens.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeDeadRuns(repo.state)
  // Whatever ends this process, no server outlives it.
  process.once('exit', forceStop)

  await using resources = new AsyncDisposableStack()
  const dir = join(repo.state, `test-${process.pid}-${randomBytes(4).toString('hex')}`)
  resources.defer(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }))

  const { DATABASE_URL: givenDatabase, REDIS_URL: givenRedis } = process.env
  const given = { databaseUrl: givenDatabase || undefined, redisUrl: givenRedis || undefined }
  const progress = { note: (text: string) => console.log(`  ${text} …`), done: () => {} }
  const { databaseUrl, redisUrl } = resources.use(await openStack({ dir, ...given, durable: false, progress }))
  const template = resources.use(await openTemplateDatabase(databaseUrl))

  const appDatabaseUrl = await openAppLogin(resources, databaseUrl)

  project.provide('databaseUrl', databaseUrl)
  project.provide('appDatabaseUrl', appDatabaseUrl)
  project.provide('redisUrl', redisUrl)
  project.provide('templateDatabase', template.name)

  const running = resources.move()
  return async () => {
    const limit = sleep(60_000, undefined, { ref: false }).then(forceStop)
    await Promise.race([running.disposeAsync(), limit])
  }
}

/** A login of this run's own: another run on the same server has another one. */
async function openAppLogin(resources: AsyncDisposableStack, databaseUrl: string): Promise<string> {
  const name = `weir_test_${randomBytes(6).toString('hex')}`
  const url = await appLogin(databaseUrl, { name, password: randomBytes(16).toString('hex') })
  resources.defer(() => withConnection(databaseUrl, async (client) => void (await client.query(`drop role ${name}`))))
  return url
}
