import { expect, test } from 'vitest'
import { BackendConfig } from '@weir/contracts'
import { createBackends } from './create-backends.ts'
import { inlinesImages } from './with-inlined-images.ts'
import { collect, never, requestOf, target } from './testing/requests.ts'
import { bodyOf, finish, serverFixture, sse } from './testing/upstream.ts'

const simulated = (slots?: number) =>
  BackendConfig.parse({ kind: 'simulated', latency_ms: 0, tokens_per_second: 1e6, ...(slots && { slots }) })

test('only a backend with slots waits for one', async () => {
  const asked: string[] = []
  const slots = {
    renewEveryMs: 1_000,
    acquire: async ({ backend }: { backend: string }) => void asked.push(backend),
    renew: async () => {},
    release: async () => {},
    held: async () => 0,
  }
  const catalogue = {
    backends: new Map([
      ['free', simulated()],
      ['limited', simulated(2)],
    ]),
  }
  await using backends = createBackends(catalogue, { secretOf: () => undefined, slots })

  for (const name of backends.names()) {
    const { error } = await collect(backends.get(name)!.stream(requestOf(), target, never()))
    expect(error).toBeUndefined()
  }

  expect(asked).toEqual(['limited'])
})

test('the secret of a backend is asked for by the name the catalogue gives it', async () => {
  const asked: string[] = []
  const config = BackendConfig.parse({ kind: 'openai', base_url: 'http://127.0.0.1:1', api_key_env: 'VLLM_API_KEY' })

  await using _backends = createBackends(
    { backends: new Map([['vllm', config]]) },
    { secretOf: (name) => (asked.push(name), 'secret') },
  )

  expect(asked).toEqual(['VLLM_API_KEY'])
})

test('only a backend that fetches no images itself has them fetched for it, before it is asked', async () => {
  const seen: unknown[] = []
  await using server = await serverFixture(async (request, response) => {
    seen.push((await bodyOf(request))['messages'])
    response.end(sse(finish()))
  })
  const config = (inline_images: boolean) =>
    BackendConfig.parse({ kind: 'openai', base_url: server.url, inline_images })
  const catalogue = {
    backends: new Map([
      ['fetching', config(false)],
      ['blind', config(true)],
    ]),
  }
  const inlined = requestOf({ messages: [{ role: 'user', content: 'inlined' }] })
  await using backends = createBackends(catalogue, { secretOf: () => undefined, inlineImages: async () => inlined })

  for (const name of backends.names()) await collect(backends.get(name)!.stream(requestOf(), target, never()))

  expect(seen).toEqual([requestOf().messages, inlined.messages])
})

test('the end of a request also ends the fetching of its images', async () => {
  const config = BackendConfig.parse({ kind: 'openai', base_url: 'http://127.0.0.1:1', inline_images: true })
  const inlineImages = (_request: unknown, signal: AbortSignal) =>
    new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(new Error('fetch failed'))))
  await using backends = createBackends(
    { backends: new Map([['blind', config]]) },
    { secretOf: () => undefined, inlineImages },
  )

  const { error } = await collect(backends.get('blind')!.stream(requestOf(), target, AbortSignal.timeout(10)))

  expect(error).toMatchObject({ code: 'deadline_exceeded' })
})

const address = 'http://10.0.0.7/admin.png'
const showing = requestOf({
  messages: [{ role: 'user', content: [{ type: 'image', source: { kind: 'url', url: address } }] }],
})

test('a server of our own never sees an address that a client names, unless the catalogue says so', async () => {
  const seen: string[] = []
  await using server = await serverFixture(async (request, response) => {
    seen.push(JSON.stringify(await bodyOf(request)))
    response.end(sse(finish()))
  })
  const own = { kind: 'openai', base_url: server.url }
  const catalogue = {
    backends: new Map([
      ['own', BackendConfig.parse(own)],
      ['trusted', BackendConfig.parse({ ...own, inline_images: false })],
    ]),
  }
  await using backends = createBackends(catalogue, { secretOf: () => undefined })
  const ask = (name: string, request = showing) => collect(backends.get(name)!.stream(request, target, never()))

  const { error } = await ask('own')
  expect(error).toMatchObject({ code: 'invalid_request', param: 'messages[0].content[0]' })
  expect(seen).toEqual([])

  expect(await ask('own', requestOf())).toMatchObject({ error: undefined })
  expect(await ask('trusted')).toMatchObject({ error: undefined })
  expect(seen.map((body) => body.includes(address))).toEqual([false, true])
})

test('a backend that is said to need images inlined does not start where nobody fetches them', () => {
  const config = BackendConfig.parse({ kind: 'openai', base_url: 'http://127.0.0.1:1', inline_images: true })
  const catalogue = { backends: new Map([['blind', config]]) }

  expect(() => createBackends(catalogue, { secretOf: () => undefined })).toThrow('blind needs images inlined')
})

test.each([
  ['http://127.0.0.1:8000/v1', 'openai', undefined, true],
  ['https://openrouter.ai/api/v1', 'openai', undefined, true],
  ['https://api.openai.com.models.test/v1', 'openai', undefined, true],
  ['https://api.openai.com/v1', 'openai', undefined, false],
  ['https://eu.api.openai.com/v1', 'openai', undefined, false],
  ['https://weir.openai.azure.com/openai/v1', 'openai', undefined, false],
  ['https://api.openai.com/v1', 'openai', true, true],
  ['http://127.0.0.1:8000/v1', 'openai', false, false],
  ['https://api.anthropic.com', 'anthropic', undefined, false],
  ['http://127.0.0.1:8000', 'anthropic', undefined, true],
  ['http://127.0.0.1:8000', 'anthropic', false, false],
])('for %s of kind %s that says %s, images are fetched here: %s', (base_url, kind, inline_images, fetched) => {
  expect(inlinesImages(BackendConfig.parse({ kind, base_url, inline_images }))).toBe(fetched)
})
