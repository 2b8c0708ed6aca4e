import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { usageFailure } from './failure.ts'

/** What `npm start` leaves for whoever works on the same machine. */
const LocalFile = z.object({
  url: z.url(),
  adminKey: z.string(),
  accountId: z.string().optional(),
  apiKey: z.string().optional(),
})
export type LocalFile = z.infer<typeof LocalFile> & { path: string }

/** The nearest `.weir/local.json`, looked for from a folder upwards. */
export function findLocalFile(folder: string): LocalFile | undefined {
  const path = join(folder, '.weir', 'local.json')
  const text = textOf(path)
  if (text !== undefined) return { ...parse(text, path), path }
  const parent = dirname(folder)
  return parent === folder ? undefined : findLocalFile(parent)
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw usageFailure(`${path} cannot be read (${code}).`)
  }
}

function parse(text: string, path: string): z.infer<typeof LocalFile> {
  try {
    return LocalFile.parse(JSON.parse(text))
  } catch {
    throw usageFailure(`${path} is damaged; npm start writes it anew.`)
  }
}
