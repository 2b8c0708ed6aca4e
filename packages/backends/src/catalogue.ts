import { readFile } from 'node:fs/promises'
import type { Catalogue } from '@weir/contracts'
import { ConfigError } from '@weir/runtime'
import type { SecretOf } from './backend.ts'
import { type CatalogueFile, parseCatalogueFile, readCatalogueFile } from './catalogue-file.ts'
import { defaultCatalogue } from './default-catalogue.ts'
import type { Probe } from './probe-models.ts'

export type CatalogueSource = {
  /** The file that describes backends and models; without one, the catalogue is what is found. */
  path: string | undefined
  /** Whether a file that is not there is an error: it is when somebody named it. */
  mustExist: boolean
  secretOf: SecretOf
  probe: Probe
}

/** The models and backends of this deployment, read once at start. Throws a ConfigError that lists all that is wrong. */
export async function loadCatalogue({ path, mustExist, secretOf, probe }: CatalogueSource): Promise<Catalogue> {
  const text = path === undefined ? undefined : await textOf(path)
  if (path !== undefined && text !== undefined) return parseCatalogueFile(text, path, secretOf)
  if (mustExist) throw new ConfigError(`Model catalogue: there is no file ${path ?? 'named'}`)
  return defaultCatalogue({ secretOf, probe })
}

/** What a file says and what is wrong with it, while nothing is started. It never throws for what an operator can mend. */
export async function checkCatalogue(path: string, secretOf: SecretOf): Promise<CatalogueFile> {
  try {
    const text = await textOf(path)
    if (text !== undefined) return readCatalogueFile(text, path, secretOf)
    return { catalogue: undefined, mistakes: [`there is no file ${path}`], warnings: [] }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { catalogue: undefined, mistakes: [error.message], warnings: [] }
  }
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new ConfigError(`Model catalogue: ${path} cannot be read: ${(error as Error).message}`)
  }
}
