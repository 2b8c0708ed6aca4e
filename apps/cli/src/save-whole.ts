import { randomUUID } from 'node:crypto'
import { type FileHandle, lstat, open, rename, rm } from 'node:fs/promises'
import { CommandFailure, usageFailure } from './failure.ts'

/** Writes a file that appears under its name only once all of it is on the disk. A file that was there before is replaced. */
export async function saveWhole(path: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  await refuseOtherThings(path)
  const part = `${path}.${randomUUID().slice(0, 8)}.part`
  const file = await open(part, 'wx').catch((error: NodeJS.ErrnoException) => {
    throw usageFailure(`${path} cannot be written (${error.code}).`)
  })
  try {
    await fill(file, bytes)
    await rename(part, path)
  } catch (error) {
    await rm(part, { force: true })
    if (error instanceof CommandFailure) throw error
    throw new CommandFailure(1, `${path} could not be written (${codeOf(error)}); nothing was left there.`, error)
  }
}

async function fill(file: FileHandle, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** A rename over a device or a link would put a file in its place. */
async function refuseOtherThings(path: string): Promise<void> {
  const there = await lstat(path).catch(() => undefined)
  if (there && !there.isFile()) throw usageFailure(`${path} is there and is no plain file.`)
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error)
