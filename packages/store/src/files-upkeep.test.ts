import { setTimeout as sleep } from 'node:timers/promises'
import { type FileId, fileIdOf, newAccountId } from '@weir/contracts'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CHUNK_BYTES } from './files-chunks.ts'
import { sweepFiles } from './files-upkeep.ts'
import { type FilesFixture, allOf, bytesOf, fileOf, inPieces, openFilesFixture } from './testing/files-fixture.ts'

let fixture: FilesFixture
beforeEach(async () => void (fixture = await openFilesFixture()))
afterEach(() => fixture?.[Symbol.asyncDispose]())

const HOUR_MS = 3_600_000
const sweep = (signal = new AbortController().signal) => sweepFiles(fixture.db, { signal })

test('the sweep takes what was deleted and what has expired, and nothing else', async () => {
  const files = fixture.storeWith()
  const accountId = newAccountId()
  const write = (more = {}) => files.write(fileOf(accountId, more), inPieces(bytesOf(CHUNK_BYTES + 1)))
  const [kept, deleted, expired, unpublished] = [
    await write(),
    await write(),
    await write({ expiresAt: new Date() }),
    await write({ publish: false }),
  ]
  await files.remove(accountId, deleted.id)

  expect(await sweep()).toEqual({ files: 2, chunks: 4 })

  expect((await allOf(files.read(kept.id))).length).toBe(CHUNK_BYTES + 1)
  expect(await files.publish(unpublished.id)).toEqual(unpublished)
  expect(await files.find(accountId, expired.id)).toBeUndefined()
  expect(await fixture.rows()).toEqual({ files: 2, chunks: 4 })
  expect(await fixture.usageOf(accountId)).toEqual({ files: 2, bytes: 2 * CHUNK_BYTES + 2, isExact: true })
})

test('an upload that nobody has touched for an hour is given up, and its writer learns of it', async () => {
  const files = fixture.storeWith()
  const file = fileOf()
  async function* resting() {
    yield bytesOf(CHUNK_BYTES)
    await fixture.age(await onlyFile(), HOUR_MS + 1_000)
    expect(await sweep()).toEqual({ files: 1, chunks: 1 })
    yield bytesOf(CHUNK_BYTES)
  }

  await expect(files.write(file, resting())).rejects.toMatchObject({ code: 'request_timeout' })

  expect(await fixture.rows()).toEqual({ files: 0, chunks: 0 })
  expect(await fixture.usageOf(file.accountId)).toEqual({ files: 0, bytes: 0, isExact: true })
})

test('a long upload that is still written to is not given up', async () => {
  const files = fixture.storeWith()
  async function* slow() {
    yield bytesOf(CHUNK_BYTES)
    await fixture.age(await onlyFile(), HOUR_MS + 1_000)
    yield bytesOf(CHUNK_BYTES)
    expect(await sweep()).toEqual({ files: 0, chunks: 0 })
  }

  expect((await files.write(fileOf(), slow())).bytes).toBe(2 * CHUNK_BYTES)
})

test('any number may sweep at the same time while files come and go, and together they leave nothing behind', async () => {
  const files = fixture.storeWith()
  const accounts = [newAccountId(), newAccountId(), newAccountId()]
  const comeAndGo = async (n: number) => {
    const accountId = accounts[n % accounts.length]!
    const expiresAt = n % 2 ? { expiresAt: new Date() } : {}
    const { id } = await files.write(fileOf(accountId, expiresAt), inPieces(bytesOf(2 * CHUNK_BYTES), CHUNK_BYTES))
    await files.remove(accountId, id)
  }
  const coming = Promise.all(Array.from({ length: 24 }, (_, n) => comeAndGo(n)))
  let isOver = false
  void coming.then(() => (isOver = true))
  const sweeping = Array.from({ length: 3 }, async () => {
    do {
      await sweep()
      await sleep(1)
    } while (!isOver)
  })

  await Promise.all([coming, ...sweeping])
  await sweep()

  expect(await fixture.rows()).toEqual({ files: 0, chunks: 0 })
  for (const accountId of accounts)
    expect(await fixture.usageOf(accountId)).toEqual({ files: 0, bytes: 0, isExact: true })
})

test('whoever is told to stop stops after a bounded statement', async () => {
  const files = fixture.storeWith()
  const file = await files.write(fileOf(), inPieces(bytesOf(70 * CHUNK_BYTES), CHUNK_BYTES))
  await files.remove(file.accountId, file.id)

  expect(await sweep(AbortSignal.abort())).toEqual({ files: 0, chunks: 64 })
  expect(await sweep()).toEqual({ files: 1, chunks: 6 })
})

async function onlyFile(): Promise<FileId> {
  const { rows } = await sql<{ id: string }>`select id from store.file`.execute(fixture.db)
  return fileIdOf(rows[0]!.id)
}
