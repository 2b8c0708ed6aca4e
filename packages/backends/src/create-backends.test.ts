import { expect, test } from 'vitest'
import { BackendConfig } from '@weir/contracts'
import { createBackends } from './create-backends.ts'
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
