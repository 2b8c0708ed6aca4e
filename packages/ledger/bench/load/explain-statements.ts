import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import type { Round } from './hot-statements.ts'
import { type LoggedPlan, planLine } from './plan-line.ts'

/** Of each statement: one line for every plan that ran, those inside of functions too. */
export type Plans = Map<string, string[]>

const WARM_UPS = 10

/** Lets `db`, a pool of one connection on a server of this run, tell the plans of statements when they are warm. */
export async function explainStatements(db: Database, rounds: readonly Round[]): Promise<Plans> {
  const plans: Plans = new Map()
  const log = await openLog(db)
  await beginExplaining(db)
  for (const round of rounds) {
    for (let run = 0; run < WARM_UPS; run++) await round((_, work) => work())
    await round(async (statement, work) => {
      await sql`set auto_explain.log_min_duration = 0`.execute(db)
      await log.news()
      const result = await work()
      const logged = plansIn(await log.news())
      await sql`set auto_explain.log_min_duration = -1`.execute(db)
      plans.set(statement, logged.map(planLine))
      return result
    })
  }
  return plans
}

async function beginExplaining(db: Database): Promise<void> {
  await sql`load 'auto_explain'`.execute(db)
  const settings = { log_analyze: 'on', log_buffers: 'on', log_nested_statements: 'on', log_format: 'json' }
  for (const [name, value] of Object.entries(settings)) await sql.raw(`set auto_explain.${name} = ${value}`).execute(db)
  await sql`set auto_explain.log_min_duration = -1`.execute(db)
}

/** What the server has written to its log since one last asked. It has written a plan before it answers the statement. */
async function openLog(db: Database) {
  const { rows } = await sql<{ data: string }>`select current_setting('data_directory') as data`.execute(db)
  const path = join(dirname(rows[0]!.data), 'postgres.log')
  let read = 0
  return {
    async news(): Promise<string> {
      const bytes = await readFile(path)
      const news = bytes.subarray(read).toString()
      read = bytes.length
      return news
    },
  }
}

/** Each plan is a message of several lines, of which all but the first are indented. */
function plansIn(log: string): LoggedPlan[] {
  const messages = log.matchAll(/duration: [\d.]+ ms {2}plan:\n((?:\t.*\n)+)/g)
  return [...messages].map(([, text]) => JSON.parse(text!) as LoggedPlan)
}
