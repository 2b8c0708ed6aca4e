import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Message } from '@weir/contracts'
import { expect, test } from 'vitest'
import { createFetchImage } from './fetch-image.ts'
import { inlineImages } from './inline-images.ts'
import { mediaTypeOf } from './media-type.ts'
import { never, requestOf } from './testing/requests.ts'

const PNG = Buffer.from('\x89PNG\r\n\x1a\nrest', 'latin1')
const PDF = Buffer.from('%PDF-1.7 rest')

async function serverOf(handle: RequestListener) {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    handle(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    asked,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const fetchImage = createFetchImage({ privateAddresses: true, timeoutMs: 10_000 })

const image = (url: string) => ({ type: 'image' as const, source: { kind: 'url' as const, url } })
const file = (url: string) => ({ type: 'file' as const, name: 'a.pdf', source: { kind: 'url' as const, url } })
const showing = (...content: Exclude<Extract<Message, { role: 'user' }>['content'], string>) =>
  requestOf({
    messages: [
      { role: 'system', content: 'Look.' },
      { role: 'user', content },
    ],
  })

const inline = (request = requestOf(), more: { maxBytes?: number; signal?: AbortSignal } = {}) =>
  inlineImages(request, { fetchImage, maxBytes: more.maxBytes ?? 1_000_000 }, more.signal ?? never())

test('images and files behind addresses are put in as what they are, each fetched once', async () => {
  await using server = await serverOf((request, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end(request.url === '/b' ? PDF : PNG),
  )
  const [a, b] = [`${server.url}/a`, `${server.url}/b`]

  const { messages } = await inline(
    showing({ type: 'text', text: 'Two:' }, image(a), { ...image(a), detail: 'low' }, file(b)),
  )

  const source = { kind: 'base64', mediaType: 'image/png', data: PNG.toString('base64') }
  expect(messages[1]?.content).toEqual([
    { type: 'text', text: 'Two:' },
    { type: 'image', source },
    { type: 'image', source, detail: 'low' },
    {
      type: 'file',
      name: 'a.pdf',
      source: { kind: 'base64', mediaType: 'application/pdf', data: PDF.toString('base64') },
    },
  ])
  expect(server.asked.toSorted()).toEqual(['/a', '/b'])
})

test('a document is no image where it is shown as one, in whatever order', async () => {
  await using server = await serverOf((_request, response) => response.end(PDF))
  for (const parts of [
    [file(server.url), image(server.url)],
    [image(server.url), file(server.url)],
  ]) {
    await expect(inline(showing(...parts))).rejects.toThrow('is not an image')
  }
})

test('images in the results of tools are fetched as well', async () => {
  await using server = await serverOf((_request, response) => response.end(PNG))
  const { messages } = await inline(
    requestOf({ messages: [{ role: 'tool', callId: 'a', content: [image(server.url)] }] }),
  )
  expect(messages).toMatchObject([{ role: 'tool', content: [{ source: { kind: 'base64' } }] }])
})

test('a request without addresses is handed back as it is', async () => {
  const request = showing({ type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' } })
  expect(await inline(request)).toBe(request)
})

test.each<[string, RequestListener, RegExp]>([
  ['is missing', (_request, response) => response.writeHead(404).end(PNG), /was not handed out/],
  ['is elsewhere', (_request, response) => response.writeHead(301, { location: '/b' }).end(), /another address/],
  [
    'is a page',
    (_request, response) => response.writeHead(200, { 'content-type': 'image/png' }).end('<html>'),
    /is not an image/,
  ],
  ['is a document', (_request, response) => response.end(PDF), /is not an image/],
  [
    'is too large',
    (_request, response) => response.end(Buffer.concat([PNG, Buffer.alloc(2_000)])),
    /more than is allowed/,
  ],
])('an image that %s is a 400 that names its part', async (_what, handle, message) => {
  await using server = await serverOf(handle)

  await expect(
    inline(showing({ type: 'text', text: 'This:' }, image(server.url)), { maxBytes: 1_000 }),
  ).rejects.toMatchObject({
    code: 'invalid_request',
    param: 'messages[1].content[1]',
    message: expect.stringMatching(message) as string,
  })
})

test('an address inside is refused without a word about what is there', async () => {
  await using server = await serverOf((_request, response) => response.end(PNG))
  const guarded = createFetchImage({ privateAddresses: false, timeoutMs: 10_000 })
  const inside = server.url.replace('http', 'https').replace(/:\d+$/, '')

  const refused = inlineImages(showing(image(inside)), { fetchImage: guarded, maxBytes: 1_000 }, never())

  await expect(refused).rejects.toThrow(
    "What 'messages[1].content[0]' names by its address does not lead to a public server.",
  )
  expect(server.asked).toEqual([])
})

test('all images of a request share what they may weigh', async () => {
  await using server = await serverOf((_request, response) => response.end(Buffer.concat([PNG, Buffer.alloc(600)])))
  const request = showing(image(`${server.url}/a`), image(`${server.url}/b`))

  await expect(inline(request, { maxBytes: 1_000 })).rejects.toMatchObject({ code: 'invalid_request' })
  expect((await inline(request, { maxBytes: 2_000 })).messages[1]).toMatchObject({
    content: [{ source: { kind: 'base64' } }, {}],
  })
})

test('more addresses than anybody needs are refused unfetched', async () => {
  const many = Array.from({ length: 101 }, (_, at) => image(`https://example.com/${at}`))
  await expect(inline(showing(...many))).rejects.toMatchObject({ code: 'invalid_request', param: 'messages' })
})

test('of many images sixteen at most are fetched at once', async () => {
  let open = 0
  let most = 0
  await using server = await serverOf((_request, response) => {
    most = Math.max(most, (open += 1))
    setTimeout(() => {
      open -= 1
      response.end(PNG)
    }, 5)
  })
  const many = Array.from({ length: 50 }, (_, at) => image(`${server.url}/${at}`))

  await inline(showing(...many))

  expect(server.asked).toHaveLength(50)
  expect(most).toBeLessThanOrEqual(16)
  expect(most).toBeGreaterThan(1)
})

test('whoever aborts is not kept waiting', async () => {
  const cancel = new AbortController()
  const reason = new Error('enough')
  await using server = await serverOf(() => cancel.abort(reason))
  await expect(inline(showing(image(server.url)), { signal: cancel.signal })).rejects.toBe(reason)
})

test.each([
  [PNG, 'image/png'],
  [Buffer.from('\xff\xd8\xff\xe0', 'latin1'), 'image/jpeg'],
  [Buffer.from('GIF89a..'), 'image/gif'],
  [Buffer.from('RIFF\n\0\0\0WEBPVP8 ', 'latin1'), 'image/webp'],
  [PDF, 'application/pdf'],
  [Buffer.from('RIFF....WAVE'), undefined],
  [Buffer.from('<svg/>'), undefined],
  [Buffer.from(''), undefined],
])('a file is known by its first bytes', (bytes, mediaType) => {
  expect(mediaTypeOf(bytes)).toBe(mediaType)
})
