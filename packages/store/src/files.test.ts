import { type AccountId, newAccountId, uuidOf } from '@weir/contracts'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CHUNK_BYTES } from './files-chunks.ts'
import { type FilesFixture, allOf, bytesOf, fileOf, inPieces, openFilesFixture } from './testing/files-fixture.ts'

let fixture: FilesFixture
beforeAll(async () => void (fixture = await openFilesFixture()))
afterAll(() => fixture?.[Symbol.asyncDispose]())

test.each([
  ['of nothing', 0, 1],
  ['of a byte', 1, 1],
  ['of exactly a chunk', CHUNK_BYTES, 10_007],
  ['of a chunk and a byte', CHUNK_BYTES + 1, CHUNK_BYTES + 1],
  ['of many chunks in small pieces', 3 * CHUNK_BYTES + 5, 10_007],
  ['of many chunks in one piece', 5 * CHUNK_BYTES - 1, 5 * CHUNK_BYTES],
])('a file %s is read as it was written', async (_, count, size) => {
  const files = fixture.storeWith()
  const bytes = bytesOf(count)

  const file = await files.write(fileOf(), inPieces(bytes, size))

  expect(file).toMatchObject({ purpose: 'batch', filename: 'lines.jsonl', bytes: count })
  expect(file.expiresAt.getTime()).toBeGreaterThan(file.createdAt.getTime())
  expect(await files.find(file.accountId, file.id)).toEqual(file)
  expect((await allOf(files.read(file.id))).equals(bytes)).toBe(true)
})

test.each([
  [0, 1],
  [5, 5],
  [100, 200],
  [CHUNK_BYTES - 1, CHUNK_BYTES + 1],
  [CHUNK_BYTES, 2 * CHUNK_BYTES],
  [17, 3 * CHUNK_BYTES + 4],
  [3 * CHUNK_BYTES, 10 * CHUNK_BYTES],
])('the bytes from %i up to %i are those of the file', async (start, end) => {
  const files = fixture.storeWith()
  const bytes = bytesOf(3 * CHUNK_BYTES + 5)
  const { id } = await files.write(fileOf(), inPieces(bytes))

  expect((await allOf(files.read(id, { start, end }))).equals(bytes.subarray(start, end))).toBe(true)
})

test('a file whose source fails leaves nothing to see and takes no room', async () => {
  const files = fixture.storeWith()
  const file = fileOf()
  async function* failing() {
    yield* inPieces(bytesOf(2 * CHUNK_BYTES))
    throw new Error('the line went dead')
  }

  await expect(files.write(file, failing())).rejects.toThrow('the line went dead')

  expect(await files.list(file.accountId, { limit: 10, order: 'desc' })).toEqual([])
  expect(await fixture.usageOf(file.accountId)).toEqual({ files: 0, bytes: 0, isExact: true })
})

test('a file whose writing is called off leaves nothing', async () => {
  const files = fixture.storeWith()
  const file = fileOf()
  const calling = new AbortController()
  async function* calledOff() {
    yield bytesOf(CHUNK_BYTES)
    calling.abort(new Error('nobody wants it'))
    yield bytesOf(1)
  }

  await expect(files.write(file, calledOff(), calling.signal)).rejects.toThrow('nobody wants it')

  expect(await fixture.usageOf(file.accountId)).toEqual({ files: 0, bytes: 0, isExact: true })
})

test('a file is not there before all of it is, and one that waits to be published until it is', async () => {
  const files = fixture.storeWith()
  const file = fileOf(newAccountId(), { publish: false })
  const seen = () => files.list(file.accountId, { limit: 10, order: 'desc' })

  const written = await files.write(file, inPieces(bytesOf(100)))

  expect(written.bytes).toBe(100)
  expect(await seen()).toEqual([])
  await expect(allOf(files.read(written.id))).rejects.toMatchObject({ code: 'not_found' })
  const expiresAt = new Date(written.createdAt.getTime() + 3_600_000)
  expect(await files.publish(written.id, { expiresAt })).toEqual({ ...written, expiresAt })
  expect(await seen()).toEqual([{ ...written, expiresAt }])
})

test('files are published by the statement of another, which learns how many there were', async () => {
  const files = fixture.storeWith()
  const file = fileOf(newAccountId(), { publish: false })
  const written = [await files.write(file, inPieces(bytesOf(1))), await files.write(file, inPieces(bytesOf(2)))]
  await files.discard(written[1]!.id)

  const { rows } = await sql<{ shown: number }>`
    select store.publish_files(${written.map(({ id }) => uuidOf(id))}::uuid[]) as shown`.execute(fixture.db)

  expect(rows).toEqual([{ shown: 1 }])
  expect(await files.list(file.accountId, { limit: 10, order: 'desc' })).toEqual([written[0]])
})

test('a file is there for its account alone, until it is removed, once', async () => {
  const files = fixture.storeWith()
  const [owner, other] = [newAccountId(), newAccountId()]
  const { id } = await files.write(fileOf(owner), inPieces(bytesOf(9)))

  expect(await files.find(other, id)).toBeUndefined()
  expect(await files.remove(other, id)).toBe(false)
  expect((await Promise.all([files.remove(owner, id), files.remove(owner, id)])).sort()).toEqual([false, true])

  expect(await files.find(owner, id)).toBeUndefined()
  await expect(allOf(files.read(id))).rejects.toMatchObject({ code: 'not_found' })
  expect(await fixture.usageOf(owner)).toEqual({ files: 0, bytes: 0, isExact: true })
})

test('what came with a message batch is not seen, takes room by its bytes, and is not counted', async () => {
  const files = fixture.storeWith({ filesPerAccount: 1 })
  const owner = newAccountId()
  const file = fileOf(owner, { purpose: 'batch_input' })
  const [first, second] = [await files.write(file, inPieces(bytesOf(9))), await files.write(file, inPieces(bytesOf(9)))]
  await files.write(fileOf(owner), inPieces(bytesOf(1)))

  expect(await fixture.usageOf(owner)).toEqual({ files: 1, bytes: 19, isExact: true })
  expect(await files.remove(owner, first.id)).toBe(false)
  expect([await files.removeInput(owner, first.id), await files.removeInput(owner, second.id)]).toEqual([true, true])
  expect(await fixture.usageOf(owner)).toEqual({ files: 1, bytes: 1, isExact: true })
})

test('a file that has expired is not there', async () => {
  const files = fixture.storeWith()
  const file = await files.write(fileOf(newAccountId(), { expiresAt: new Date() }), inPieces(bytesOf(9)))

  expect(await files.find(file.accountId, file.id)).toBeUndefined()
  expect(await files.list(file.accountId, { limit: 10, order: 'asc' })).toEqual([])
  expect(await files.remove(file.accountId, file.id)).toBe(false)
})

test('files are listed a page at a time, either way, by purpose', async () => {
  const files = fixture.storeWith()
  const accountId = newAccountId()
  const written = []
  for (const purpose of ['batch', 'batch_output', 'batch', 'batch'] as const)
    written.push((await files.write(fileOf(accountId, { purpose }), inPieces(bytesOf(1)))).id)
  const idsOf = async (list: Partial<Parameters<typeof files.list>[1]>) =>
    (await files.list(accountId, { limit: 10, order: 'asc', ...list })).map(({ id }) => id)

  expect(await idsOf({})).toEqual(written)
  expect(await idsOf({ order: 'desc' })).toEqual(written.toReversed())
  expect(await idsOf({ limit: 2, after: written[0]! })).toEqual(written.slice(1, 3))
  expect(await idsOf({ order: 'desc', after: written[1]! })).toEqual([written[0]])
  expect(await idsOf({ purpose: 'batch_output' })).toEqual([written[1]])
})

test('a file with a byte too many is refused, one without is not', async () => {
  const files = fixture.storeWith({ fileBytes: 2 * CHUNK_BYTES })
  const file = fileOf()

  const tooLarge = files.write(file, inPieces(bytesOf(2 * CHUNK_BYTES + 1)))

  await expect(tooLarge).rejects.toMatchObject({ code: 'request_too_large', param: 'file' })
  expect((await files.write(file, inPieces(bytesOf(2 * CHUNK_BYTES)))).bytes).toBe(2 * CHUNK_BYTES)
  expect(await fixture.usageOf(file.accountId)).toEqual({ files: 1, bytes: 2 * CHUNK_BYTES, isExact: true })
})

/** What came of several, in order of their codes. */
const endsOf = async (writes: Promise<unknown>[]) =>
  (await Promise.allSettled(writes))
    .map((end) => (end.status === 'fulfilled' ? 'written' : String(end.reason.code ?? end.reason)))
    .sort()

const writes = (files: ReturnType<FilesFixture['storeWith']>, accountId: AccountId, count: number, bytes: number) =>
  Array.from({ length: count }, () => files.write(fileOf(accountId), inPieces(bytesOf(bytes), 100_000)))

test('of many uploads at once exactly as many are let in as the account may have', async () => {
  const accountId = newAccountId()
  const files = fixture.storeWith({ filesPerAccount: 3 })

  const ends = await endsOf(writes(files, accountId, 8, 10))

  expect(ends).toEqual([...Array(5).fill('file_quota_exceeded'), ...Array(3).fill('written')])
  expect(await fixture.usageOf(accountId)).toEqual({ files: 3, bytes: 30, isExact: true })
})

test('uploads that grow at once never take more bytes together than the account may have', async () => {
  const accountId = newAccountId()
  const bytesPerAccount = 6 * CHUNK_BYTES
  // Each by a store of its own, as of several processes.
  const stores = Array.from({ length: 4 }, () => fixture.storeWith({ bytesPerAccount }))

  const ends = await endsOf(stores.flatMap((files) => writes(files, accountId, 1, 3 * CHUNK_BYTES)))

  expect(new Set(ends)).toEqual(
    new Set(ends.includes('written') ? ['file_quota_exceeded', 'written'] : ['file_quota_exceeded']),
  )
  const usage = await fixture.usageOf(accountId)
  expect(usage).toMatchObject({ files: ends.filter((end) => end === 'written').length, isExact: true })
  expect(usage.bytes).toBeLessThanOrEqual(bytesPerAccount)
  await Promise.all(writes(stores[0]!, accountId, 2 - usage.files, 3 * CHUNK_BYTES))
  expect(await endsOf(writes(stores[1]!, accountId, 1, 1))).toEqual(['file_quota_exceeded'])
})

test('what the service writes counts, and is never refused', async () => {
  const files = fixture.storeWith({ fileBytes: 10, bytesPerAccount: 10, filesPerAccount: 1 })
  const accountId = newAccountId()
  await files.write(fileOf(accountId), inPieces(bytesOf(10)))

  const output = await files.write(fileOf(accountId, { purpose: 'batch_output' }), inPieces(bytesOf(1_000)))

  expect(output.bytes).toBe(1_000)
  expect(await fixture.usageOf(accountId)).toEqual({ files: 2, bytes: 1_010, isExact: true })
})
