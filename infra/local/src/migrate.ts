import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { z } from 'zod'
import { repo } from './repo.ts'

/** Brings the database to the schema of this checkout; safe to run again and by several at once. Returns what it warns of. */
export async function runMigrations(databaseUrl: string): Promise<string[]> {
  const { PATH, HOME } = process.env
  const env = { PATH, HOME, DATABASE_URL: databaseUrl }
  try {
    const limits = { timeout: 300_000, maxBuffer: 16 * 1024 * 1024 }
    const { stdout } = await promisify(execFile)(process.execPath, [repo.migrate], { env, ...limits })
    return warningsIn(stdout)
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    throw new Error(`The migrations failed:\n${`${stdout}${stderr}`.trim().slice(-4_000)}`, { cause: error })
  }
}

const Line = z.object({ level: z.union([z.number(), z.string()]), msg: z.string() })

/** The sentences of a log, a line of JSON each, that are more than news. */
function warningsIn(log: string): string[] {
  const lines = log.split('\n').filter((line) => line.startsWith('{'))
  return lines.flatMap((line) => {
    const { data } = Line.safeParse(JSON.parse(line))
    return data && (data.level === 'warn' || Number(data.level) >= 40) ? data.msg : []
  })
}
