import { expect, test } from 'vitest'
import { BackendConfig } from '@weir/contracts'
import { createBackends } from './create-backends.ts'
import { collect, never, requestOf, target } from './testing/requests.ts'

const simulated = (slots?: number) =>
  BackendConfig.parse({ kind: 'simulated', latency_ms: 0, tokens_per_second: 1e6, ...(slots && { slots }) })

test('only a backend with slots waits for one', async () => {
  const asked: string[] = []
  const slots = {
    renewEveryMs: 1_000,
    acquire: async ({ backend }: { backend: string }) => void asked.push(backend),
    renew: async () => {},
    release: async () => {},
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
