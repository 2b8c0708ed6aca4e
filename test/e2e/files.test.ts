import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type AccountId, uuidOf } from '@weir/contracts'
import { openTempDir, openWeir, type Weir } from '@weir/local/testing'
import OpenAI, { toFile } from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, quick } from './testing/catalogue.ts'
import { clientOf, customerOf } from './testing/customer.ts'
import { refusalOf } from './testing/failure.ts'
import { patiently } from './testing/patiently.ts'
import { residentBytes } from './testing/resident-bytes.ts'
import { rowsOf } from './testing/rows.ts'
import { beginUpload, formOf, formType, sendForm } from './testing/uploads.ts'

let weir: Weir
beforeAll(async () => {
  weir = await openWeir({
    config: catalogueOf({ quick }),
    apis: 2,
    workerEnv: { WEIR_LEDGER_UPKEEP_INTERVAL_MS: '200' },
  })
})
afterAll(() => weir?.[Symbol.asyncDispose]())

const megabyte = 1_048_576
const day = 86_400

/** Lines of a batch, each with its number. */
const linesOf = (count: number): Buffer =>
  Buffer.from(Array.from({ length: count }, (_, n) => `{"custom_id":"line-${n}"}\n`).join(''))

const upload = async (client: OpenAI, bytes: Buffer, name = 'lines.jsonl') =>
  client.files.create({ file: await toFile(bytes, name), purpose: 'batch' })

const contentOf = async (client: OpenAI, id: string) =>
  Buffer.from(await (await client.files.content(id)).arrayBuffer())

test('a file is uploaded at one replica, and is shown, listed, read and deleted at another', async () => {
  const { apiKey, client } = await customerOf(weir)
  const other = clientOf(apiKey, weir.urls[1]!)
  const bytes = linesOf(50_000)

  const file = await upload(client, bytes)

  expect(file).toEqual({
    id: expect.stringMatching(/^file-/),
    object: 'file',
    bytes: bytes.length,
    created_at: expect.any(Number),
    expires_at: file.created_at + 30 * day,
    filename: 'lines.jsonl',
    purpose: 'batch',
    status: 'processed',
  })
  expect(await other.files.retrieve(file.id)).toEqual(file)
  expect(await other.files.waitForProcessing(file.id)).toEqual(file)
  expect((await other.files.list()).data).toEqual([file])
  expect((await contentOf(other, file.id)).equals(bytes)).toBe(true)
  expect(await other.files.delete(file.id)).toEqual({ id: file.id, object: 'file', deleted: true })
  const { files } = client
  for (const ask of [() => files.retrieve(file.id), () => files.content(file.id), () => files.delete(file.id)])
    expect(await refusalOf(ask())).toMatchObject({ status: 404, code: 'not_found', param: 'id' })
  expect((await client.files.list()).data).toEqual([])
})

test('a file is uploaded from a stream, by clients of several generations', async () => {
  await using dir = await openTempDir()
  const path = join(dir.path, 'on-disk.jsonl')
  const bytes = linesOf(20_000)
  await writeFile(path, bytes)
  const { apiKey } = await customerOf(weir)
  const { default: OpenAI4 } = await import('openai-4')
  const { default: OpenAI6 } = await import('openai-6')

  for (const Client of [OpenAI4, OpenAI6, OpenAI]) {
    const client = new Client({ baseURL: `${weir.url}/v1`, apiKey, maxRetries: 0 })
    const file = await client.files.create({ file: createReadStream(path), purpose: 'batch' })
    expect(file).toMatchObject({ bytes: bytes.length, filename: 'on-disk.jsonl' })
    expect(await (await client.files.content(file.id)).text()).toBe(bytes.toString())
  }
})

test('a list is turned page by page, either way', async () => {
  const { client } = await customerOf(weir)
  const ids: string[] = []
  for (let n = 0; n < 5; n += 1) ids.push((await upload(client, linesOf(1), `${n}.jsonl`)).id)
  const all = async (order: 'asc' | 'desc') => {
    const found: string[] = []
    for await (const { id } of client.files.list({ order, limit: 2, purpose: 'batch' })) found.push(id)
    return found
  }

  expect(await all('asc')).toEqual(ids)
  expect(await all('desc')).toEqual(ids.toReversed())
  expect(await client.files.list({ purpose: 'batch_output' })).toMatchObject({ data: [], has_more: false })
  expect(await client.get('/files', { query: { limit: 2, after: ids[4] } })).toMatchObject({
    object: 'list',
    first_id: ids[3],
    last_id: ids[2],
    has_more: true,
  })
})

const purpose = { name: 'purpose', value: 'batch' }
const file = { name: 'file', value: linesOf(3), filename: 'lines.jsonl', type: 'application/octet-stream' }
const anchor = { name: 'expires_after[anchor]', value: 'created_at' }
const seconds = { name: 'expires_after[seconds]', value: '3600' }

test.each([
  ['before', [purpose, anchor, seconds, file]],
  ['behind', [file, seconds, anchor, purpose]],
  ['around', [seconds, file, anchor, purpose]],
])('the fields may stand %s the file', async (_, parts) => {
  const { apiKey, client } = await customerOf(weir)

  const answer = await sendForm(weir.url, apiKey, formOf(...parts))

  expect(answer.status).toBe(200)
  const sent = (await answer.json()) as OpenAI.FileObject
  expect(sent.expires_at).toBe(sent.created_at + 3_600)
  expect((await contentOf(client, sent.id)).equals(linesOf(3))).toBe(true)
})

test.each([
  ['"purpose" of another kind', [file, { ...purpose, value: 'fine-tune' }], 400, 'invalid_request', 'purpose'],
  ['no purpose', [file], 400, 'invalid_request', 'purpose'],
  ['two purposes', [purpose, purpose, file], 400, 'invalid_request', 'purpose'],
  ['no file', [purpose], 400, 'invalid_request', 'file'],
  ['a file that is a field', [purpose, { name: 'file', value: 'text' }], 400, 'invalid_request', 'file'],
  ['two files', [file, file, purpose], 400, 'invalid_request', undefined],
  ['a file by another name', [{ ...file, name: 'document' }, purpose], 400, 'unknown_parameter', 'document'],
  [
    'an unknown field behind the file',
    [file, purpose, { name: 'model', value: 'x' }],
    400,
    'unknown_parameter',
    'model',
  ],
  ['a name that is too long', [{ ...file, filename: 'x'.repeat(256) }, purpose], 400, 'invalid_request', 'file'],
  ['a lifetime without its anchor', [file, purpose, seconds], 400, 'invalid_request', anchor.name],
  ['an anchor alone', [file, purpose, anchor], 400, 'invalid_request', seconds.name],
  [
    'too short a lifetime',
    [purpose, anchor, { ...seconds, value: '3599' }, file],
    400,
    'invalid_request',
    seconds.name,
  ],
  ['a field that never ends', [{ ...purpose, value: 'x'.repeat(100_000) }, file], 400, 'invalid_request', 'purpose'],
  ['a field that is everywhere', [{ name: '__proto__', value: 'x' }, file, purpose], 400, 'invalid_request', undefined],
])('a form with %s is refused, and nothing of it stays', async (_, parts, status, code, param) => {
  const { accountId, apiKey } = await customerOf(weir)

  const answer = await sendForm(weir.url, apiKey, formOf(...parts))

  expect(answer.status).toBe(status)
  expect(await answer.json()).toMatchObject({ error: { code, param: param ?? null } })
  expect(await uploadsOf(accountId)).toEqual([])
})

test.each([
  ['before its first part', ''],
  ['in a field', formOf(purpose).toString().split('batch')[0]!],
])('a form with more %s than a form may have is refused while it is still sent', async (_, beginning) => {
  const { accountId, apiKey } = await customerOf(weir)
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': formType }
  const sending = request(`${weir.url}/v1/files`, { method: 'POST', headers })
  const answered = once(sending, 'response')

  sending.write(beginning)
  sending.write(Buffer.alloc(2 * megabyte, 'x'))
  const [response] = await answered
  sending.on('error', () => {}).destroy()

  expect(response.statusCode).toBe(413)
  expect(await uploadsOf(accountId)).toEqual([])
})

test.each([
  ['JSON', '{"purpose":"batch"}', 'application/json', 415, 'unsupported_media_type'],
  ['no form', 'purpose=batch', 'application/x-www-form-urlencoded', 415, 'unsupported_media_type'],
  ['a form without a boundary', 'x', 'multipart/form-data', 415, 'unsupported_media_type'],
  ['a form with an empty boundary', 'x', 'multipart/form-data; x=y', 400, 'invalid_request'],
  ['what is not what it says', 'not a form at all', formType, 400, 'invalid_request'],
  ['an empty form', '', formType, 400, 'invalid_request'],
  ['a form that breaks off', formOf(purpose, file).subarray(0, 300), formType, 400, 'invalid_request'],
])('%s is refused', async (_, body, type, status, code) => {
  const { accountId, apiKey } = await customerOf(weir)

  const answer = await sendForm(weir.url, apiKey, Buffer.from(body), type)

  expect(answer.status).toBe(status)
  expect(await answer.json()).toMatchObject({ error: { code, message: expect.any(String) } })
  expect(await uploadsOf(accountId)).toEqual([])
})

test('what a file is called comes back as it was sent, and breaks no header', async () => {
  const { apiKey, client } = await customerOf(weir)

  for (const name of ['Zeilen für heute.jsonl', '行.jsonl', "it's; filename=x.jsonl"]) {
    const { id, filename } = await upload(client, linesOf(1), name)
    expect(filename).toBe(name)
    const { headers } = await read(id, apiKey)
    expect(headers.get('content-disposition')).toMatch(/^attachment; filename/)
    expect(headers.get('x-content-type-options')).toBe('nosniff')
  }
})

const read = (id: string, apiKey: string, range?: string, method = 'GET') =>
  fetch(`${weir.urls[1]}/v1/files/${id}/content`, {
    method,
    headers: { 'x-api-key': apiKey, ...(range && { range }) },
  })

test('a part of a file is read by its range, and what there is not is a 416', async () => {
  const { apiKey, client } = await customerOf(weir)
  const bytes = linesOf(100_000)
  const { id } = await upload(client, bytes)
  const size = bytes.length
  const parts: [string, number, number][] = [
    ['bytes=0-9', 0, 10],
    ['bytes=262140-262150', 262_140, 262_151],
    ['bytes=1000000-', 1_000_000, size],
    ['bytes=-77', size - 77, size],
  ]

  for (const [range, start, end] of parts) {
    const answer = await read(id, apiKey, range)
    expect(answer.status).toBe(206)
    expect(answer.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/${size}`)
    expect(answer.headers.get('content-length')).toBe(String(end - start))
    expect(Buffer.from(await answer.arrayBuffer()).equals(bytes.subarray(start, end))).toBe(true)
  }
  const refused = await read(id, apiKey, `bytes=${size}-`)
  expect(refused.status).toBe(416)
  expect(refused.headers.get('content-range')).toBe(`bytes */${size}`)
  expect(await refused.json()).toMatchObject({ error: { code: 'range_not_satisfiable', param: 'range' } })
})

test('a file is described without being read', async () => {
  const { apiKey, client } = await customerOf(weir)
  const bytes = linesOf(1_000)
  const [whole, empty] = [await upload(client, bytes), await upload(client, Buffer.alloc(0))]

  const answer = await read(whole.id, apiKey, 'bytes=0-9', 'HEAD')

  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-length')).toBe(String(bytes.length))
  expect(answer.headers.get('accept-ranges')).toBe('bytes')
  expect(await answer.text()).toBe('')
  const nothing = await read(empty.id, apiKey)
  expect([nothing.status, nothing.headers.get('content-length'), await nothing.text()]).toEqual([200, '0', ''])
})

test("another account's file is not there", async () => {
  const [owner, other] = [await customerOf(weir), await customerOf(weir)]
  const { id } = await upload(owner.client, linesOf(1))

  const { files } = other.client
  for (const ask of [() => files.retrieve(id), () => files.content(id), () => files.delete(id)])
    expect(await refusalOf(ask())).toMatchObject({ status: 404, code: 'not_found' })
  expect((await other.client.files.list()).data).toEqual([])
  expect((await owner.client.files.retrieve(id)).id).toBe(id)
})

test('a file that is too large is refused, whether or not it says so before, and so is one too many', async () => {
  const api = await weir.startApi({
    WEIR_FILE_MAX_BYTES: String(megabyte),
    WEIR_FILES_BYTES_PER_ACCOUNT: String(1.5 * megabyte),
    WEIR_FILES_PER_ACCOUNT: '2',
  })
  const url = `http://127.0.0.1:${api.port}`
  const { accountId, client, apiKey } = await customerOf(weir, { baseUrl: url })
  const large = { status: 413, code: 'request_too_large', param: 'file' }
  const full = { status: 400, code: 'file_quota_exceeded', param: 'file' }

  expect(await refusalOf(upload(client, Buffer.alloc(2 * megabyte)))).toMatchObject(large)
  expect(await refusalOf(upload(client, Buffer.alloc(megabyte + 1)))).toMatchObject(large)
  const unsized = beginUpload(url, apiKey)
  await unsized.send(Buffer.alloc(megabyte))
  await unsized.send(Buffer.alloc(megabyte))
  expect(await unsized.answer).toMatchObject({ status: 413 })
  unsized.abort()
  expect(await uploadsOf(accountId)).toEqual([])

  const first = await upload(client, Buffer.alloc(megabyte))
  expect(await refusalOf(upload(client, Buffer.alloc(megabyte)))).toMatchObject(full)
  await upload(client, Buffer.alloc(megabyte / 2))
  expect(await refusalOf(upload(client, Buffer.alloc(1)))).toMatchObject(full)
  await client.files.delete(first.id)
  expect((await upload(client, Buffer.alloc(megabyte))).bytes).toBe(megabyte)
})

test('an upload whose client goes away leaves nothing behind', async () => {
  const { accountId, apiKey } = await customerOf(weir)
  const uploading = beginUpload(weir.url, apiKey)
  await uploading.send(Buffer.alloc(2 * megabyte))
  await expect.poll(() => uploadsOf(accountId), patiently).toEqual([{ state: 'uploading', bytes: 2 * megabyte }])

  uploading.abort()

  await expect.poll(() => uploadsOf(accountId), patiently).toEqual([])
})

test('an upload whose replica is killed is swept once nobody has touched it for an hour', async () => {
  const api = await weir.startApi()
  const { accountId, apiKey, client } = await customerOf(weir)
  const kept = await upload(client, linesOf(10))
  const uploading = beginUpload(`http://127.0.0.1:${api.port}`, apiKey)
  await uploading.send(Buffer.alloc(2 * megabyte))
  await expect.poll(() => uploadsOf(accountId), patiently).toContainEqual({ state: 'uploading', bytes: 2 * megabyte })

  api.kill('SIGKILL')
  await api.exited
  expect((await client.files.list()).data).toEqual([kept])
  await rowsOf(
    weir.databaseUrl,
    `update store.file set created_at = created_at - interval '2 hours', touched_at = touched_at - interval '2 hours'
     where account_id = $1`,
    [uuidOf(accountId as AccountId)],
  )

  await expect.poll(() => chunksOf(accountId), patiently).toBe(1)
  await expect.poll(() => uploadsOf(accountId), patiently).toEqual([{ state: 'processed', bytes: kept.bytes }])
  expect((await contentOf(client, kept.id)).equals(linesOf(10))).toBe(true)
})

test('an upload that comes slowly is waited for, and one that has stopped coming is not', async () => {
  const api = await weir.startApi({ WEIR_STREAM_STALL_MS: '1000' })
  const url = `http://127.0.0.1:${api.port}`
  const { accountId, apiKey } = await customerOf(weir)
  const [slow, stopped] = [beginUpload(url, apiKey), beginUpload(url, apiKey)]
  await stopped.send(Buffer.alloc(1_000))

  // Until the other one is given up, which began no earlier.
  const answer = { of: undefined as { status: number | undefined } | undefined }
  void stopped.answer.then((given) => (answer.of = given))
  let sent = 0
  while (!answer.of) {
    await slow.send(Buffer.alloc(100_000))
    sent += 100_000
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  slow.end()

  expect(answer.of.status).toBe(408)
  const { status, body } = await slow.answer
  expect([status, JSON.parse(body).bytes]).toEqual([200, sent])
  await expect.poll(() => uploadsOf(accountId), patiently).toEqual([{ state: 'processed', bytes: sent }])
})

test('a file of any size passes through a replica that holds only a little of it', async () => {
  const { apiKey, client } = await customerOf(weir)
  await contentOf(client, (await upload(client, Buffer.alloc(8 * megabyte))).id)
  const before = await residentBytes(weir.apis[0]!.pid)
  const [size, piece] = [128 * megabyte, Buffer.alloc(megabyte, 'x')]

  const uploading = beginUpload(weir.url, apiKey)
  for (let sent = 0; sent < size; sent += piece.length) await uploading.send(piece)
  uploading.end()
  const { id, bytes } = JSON.parse((await uploading.answer).body)
  const uploaded = await residentBytes(weir.apis[0]!.pid)
  const answer = await fetch(`${weir.url}/v1/files/${id}/content`, { headers: { authorization: `Bearer ${apiKey}` } })
  const hash = createHash('sha256')
  for await (const part of Readable.fromWeb(answer.body!)) hash.update(part)
  const downloaded = await residentBytes(weir.apis[0]!.pid)

  const expected = createHash('sha256')
  for (let sent = 0; sent < size; sent += piece.length) expected.update(piece)
  expect(bytes).toBe(size)
  expect(hash.digest('hex')).toBe(expected.digest('hex'))
  expect(uploaded - before).toBeLessThan(96 * megabyte)
  expect(downloaded - before).toBeLessThan(96 * megabyte)
})

/** Of an account, whether or not it sees them. */
async function uploadsOf(accountId: string): Promise<{ state: string; bytes: number }[]> {
  const rows = await rowsOf<{ state: string; bytes: string }>(
    weir.databaseUrl,
    "select state, bytes from store.file where account_id = $1 and state <> 'deleted'",
    [uuidOf(accountId as AccountId)],
  )
  return rows.map(({ state, bytes }) => ({ state, bytes: Number(bytes) }))
}

async function chunksOf(accountId: string): Promise<number> {
  const rows = await rowsOf(
    weir.databaseUrl,
    'select from store.file_chunk where file_id in (select id from store.file where account_id = $1)',
    [uuidOf(accountId as AccountId)],
  )
  return rows.length
}
