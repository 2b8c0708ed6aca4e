import { readFileSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { type PgBouncer, findPgBouncer, openPgBouncer, openTestDatabase } from '@weir/local/testing'
import { type Database, openDatabase } from '@weir/runtime'
import { sql } from 'kysely'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { createLedgerCheck } from './check/check.ts'
import { expectBooksToStandBy, isUntold, openAccounts } from './testing/crash/aftermath.ts'
import { type Journal, notesIn } from './testing/crash/journal.ts'
import { createClientLanes } from './testing/crash/client-lanes.ts'
import { createProgram, keepBusy } from './testing/crash/program.ts'
import { createRandom } from './testing/crash/random.ts'
import { resourcesOf } from './testing/crash/resources.ts'
import { PATIENCE_MS } from './testing/lanes.ts'
import { holdBack } from './testing/locks.ts'

/** What operators are told to write: it is what is tested. */
const page = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8').split('## PgBouncer')[1]!
const documented = { ini: blockOf('ini'), sql: blockOf('sql') }

let program: string | undefined
beforeAll(async () => {
  program = await findPgBouncer()
  if (!program) console.log('PgBouncer is not tested: it is not on PATH, and only root may install it')
}, 600_000)
beforeEach(({ skip }) => skip(!program))

test('two processes keep the books through PgBouncer, with four connections between them, also when it is killed', async (context) => {
  const resources = resourcesOf(context)
  const { url, direct } = await openDirect(resources)
  const bouncer = await openBouncer(resources, url)
  const accounts = await openAccounts(direct)
  const journal: Journal = { asked: [], failures: [] }
  const notes = notesIn(journal)
  const processes = [1, 2].map(() => resources.use(connect(bouncer.url, 8)))
  const check = () => createLedgerCheck(processes[0]!).check()

  let told = 0
  let end = Infinity
  const inTheMidst = async () => {
    try {
      expect(await othersIn(direct)).toBeLessThanOrEqual(4)
      expect((await check()).findings).toEqual([])
      await bouncer.crash()
    } finally {
      end = told + 500
    }
  }
  const midst = Promise.withResolvers<void>()
  const onTold = () => void (++told === 300 && midst.resolve())

  // Three at a time of each process, so that there are more who ask than connections.
  const working = [...processes, ...processes, ...processes].map((db, i) => {
    const lanes = createClientLanes({ operations: db, amendments: db, maxBatch: 20, onFailure: notes.failed })
    return keepBusy(createProgram({ lanes, notes, random: createRandom(i), accounts, onTold }), 8, () => told >= end)
  })
  await Promise.all([...working, midst.promise.then(inTheMidst)])

  expect(journal.asked.filter(isUntold)).toEqual([])
  expect(journal.failures).not.toEqual([])
  await expectBooksToStandBy(processes[1]!, accounts, journal)
})

test('without the documented line PgBouncer lets nobody in and says why', async (context) => {
  const resources = resourcesOf(context)
  const { url } = await openDirect(resources)
  const bouncer = await openBouncer(resources, url, { ignore_startup_parameters: '' })
  const db = resources.use(connect(bouncer.url, 1))

  await expect(sql`select 1`.execute(db)).rejects.toThrow(/unsupported startup parameter.*_timeout/)
})

test('a statement that its process has given up on does not go on in Postgres', async (context) => {
  const resources = resourcesOf(context)
  const { url, direct } = await openDirect(resources)
  await setForRole(direct)
  const bouncer = await openBouncer(resources, url)
  const impatient = resources.use(openDatabase(bouncer.url, { max: 1, timeoutMs: 500, onError: () => {} }))

  await expect(sql`select pg_sleep(3600)`.execute(impatient)).rejects.toThrow('Query read timeout')

  while ((await sleepersIn(direct)) > 0) await turn()
})

test('behind PgBouncer the role says how long a statement waits for a lock, and without it each connection', async (context) => {
  const resources = resourcesOf(context)
  const { url, direct } = await openDirect(resources)
  await setForRole(direct)
  const bouncer = await openBouncer(resources, url)
  const behind = resources.use(connect(bouncer.url, 1))
  await using _held = await holdBack(direct, sql`lock table ledger.account`)

  await expect(sql`select from ledger.account`.execute(behind)).rejects.toMatchObject({ code: '55P03' })

  const lockTimeoutOf = async (db: Database) =>
    (await sql<{ lock_timeout: string }>`show lock_timeout`.execute(db)).rows
  expect(await lockTimeoutOf(behind)).toEqual([{ lock_timeout: '1800ms' }])
  expect(await lockTimeoutOf(direct)).toEqual([{ lock_timeout: '1min' }])
})

/** A database, and connections to it that do not lead through PgBouncer. */
async function openDirect(resources: AsyncDisposableStack): Promise<{ url: string; direct: Database }> {
  const { url } = resources.use(await openTestDatabase())
  return { url, direct: resources.use(connect(url, 2)) }
}

/** As documented, with four connections to Postgres. */
async function openBouncer(resources: AsyncDisposableStack, target: string, settings = {}): Promise<PgBouncer> {
  const section = documented.ini.split('[pgbouncer]')[1]!
  const written = Object.fromEntries([...section.matchAll(/^(\w+) = (.*)$/gm)].map(([, name, value]) => [name, value]))
  const all = { ...written, default_pool_size: '4', ...settings }
  return resources.use(await openPgBouncer({ program: program!, target, settings: all }))
}

/** As documented, for our own role in our own database. */
async function setForRole(db: Database): Promise<void> {
  const { rows } = await sql<{ name: string }>`select current_database() as name`.execute(db)
  for (const statement of documented.sql.split(';\n').filter(Boolean))
    await sql
      .raw(statement.replace('role weir in database weir', `role current_user in database ${rows[0]!.name}`))
      .execute(db)
}

function connect(url: string, max: number): Database {
  return openDatabase(url, { max, timeoutMs: PATIENCE_MS, onError: () => {} })
}

/** How many connections this database has beside ours. */
async function othersIn(db: Database): Promise<number> {
  const { rows } = await sql<{ others: bigint }>`
    select count(*) as others from pg_stat_activity
    where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()`.execute(db)
  return Number(rows[0]!.others)
}

async function sleepersIn(db: Database): Promise<number> {
  const { rows } = await sql<{ sleepers: bigint }>`
    select count(*) as sleepers from pg_stat_activity
    where datname = current_database() and wait_event = 'PgSleep'`.execute(db)
  return Number(rows[0]!.sleepers)
}

/** The code block of a language in the section. */
function blockOf(language: string): string {
  return new RegExp('```' + language + '\\n(.*?)```', 's').exec(page)![1]!
}
