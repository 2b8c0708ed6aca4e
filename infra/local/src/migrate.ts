import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { repo } from './repo.ts'

/** Brings the database to the schema of this checkout; safe to run again and by several at once. */
export async function runMigrations(databaseUrl: string): Promise<void> {
  const { PATH, HOME } = process.env
  const env = { PATH, HOME, DATABASE_URL: databaseUrl }
  try {
    await promisify(execFile)(process.execPath, [repo.migrate], { env, timeout: 300_000, maxBuffer: 16 * 1024 * 1024 })
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    throw new Error(`The migrations failed:\n${`${stdout}${stderr}`.trim().slice(-4_000)}`, { cause: error })
  }
}
