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

/** `isFile`: false where there is none and none is needed; the catalogue is then what is found. */
export type CheckedCatalogue = CatalogueFile & { isFile: boolean }

/**
 * What a start would serve or what keeps it from starting, while nothing is started. It never throws for what an operator
 * can mend. `withoutSecrets`: the variables that a file names need not be there.
 */
export async function checkCatalogue(
  path: string,
  { mustExist, secretOf, probe, withoutSecrets }: Omit<CatalogueSource, 'path'> & { withoutSecrets: boolean },
): Promise<CheckedCatalogue> {
  const broken = (mistake: string) => ({ catalogue: undefined, mistakes: [mistake], warnings: [], isFile: true })
  try {
    const text = await textOf(path)
    if (text !== undefined)
      return { ...readCatalogueFile(text, path, withoutSecrets ? () => 'not asked for' : secretOf), isFile: true }
    if (mustExist) return broken(`there is no file ${path}`)
    return { catalogue: await defaultCatalogue({ secretOf, probe }), mistakes: [], warnings: [], isFile: false }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return broken(error.message)
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
