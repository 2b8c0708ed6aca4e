import { randomBytes } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'

/** Writes a file that only its owner can read, whole or not at all. */
export async function writePrivate(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}-${randomBytes(4).toString('hex')}`
  try {
    await writeFile(draft, text, { mode: 0o600, flag: 'wx' })
    await rename(draft, path)
  } finally {
    await rm(draft, { force: true })
  }
}

export async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}

/** The secret kept at `path`, made at the first call. */
export async function keptSecret(path: string): Promise<string> {
  const kept = (await readIfThere(path))?.trim()
  if (kept) return kept
  const secret = randomBytes(24).toString('base64url')
  await writePrivate(path, secret)
  return secret
}

/** A port remembered from an earlier start, if there is one. */
export async function keptPort(path: string): Promise<number | undefined> {
  const port = Number(await readIfThere(path))
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined
}

/** The last lines of a log file, for an error message. */
export async function tailOf(path: string, lines = 15): Promise<string> {
  const text = (await readIfThere(path)) ?? ''
  return text.trimEnd().split('\n').slice(-lines).join('\n')
}
