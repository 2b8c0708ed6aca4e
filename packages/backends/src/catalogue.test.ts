import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadCatalogue } from './catalogue.ts'
import { probeModels } from './probe-models.ts'

const load = (secrets: Record<string, string> = {}, found: string[] = [], path?: string) =>
  loadCatalogue({ path, mustExist: path !== undefined, secretOf: (name) => secrets[name], probe: async () => found })

test('with nothing configured and nothing found there is the simulated model', async () => {
  const catalogue = await load()

  expect(catalogue.models.map(({ id }) => id)).toEqual(['simulated'])
  expect(catalogue.auto.candidates).toMatchObject([
    { model: { id: 'simulated', maxOutputTokens: 4_096, price: { output: 600_000n } } },
  ])
})

test('what is found comes first, and the simulated model stays under its own name', async () => {
  const catalogue = await load({ OPENAI_API_KEY: 'a', ANTHROPIC_API_KEY: 'b' }, ['llama3.2:3b', 'nomic-embed-text'])

  expect(catalogue.models[0]?.id).toBe('gpt-4o-mini')
  expect(catalogue.auto).toMatchObject({ pick: 'cheapest' })
  expect(catalogue.auto.candidates.map(({ model }) => model.id)).not.toContain('simulated')
  expect(catalogue.find('claude-sonnet-4-5')?.price).toEqual({
    input: 3_000_000n,
    cachedInput: 300_000n,
    cacheWrite: 3_750_000n,
    output: 15_000_000n,
  })
  expect(catalogue.find('llama3.2:3b')).toMatchObject({ targets: [{ backend: 'ollama' }], price: { output: 0n } })
  expect(catalogue.find('nomic-embed-text')).toBeUndefined()
  expect(catalogue.models.at(-1)?.id).toBe('simulated')
})

test('a file that was named must be there, and then nothing else is offered', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'weir-'))
  const path = join(folder, 'weir.yaml')
  await expect(load({ OPENAI_API_KEY: 'a' }, [], path)).rejects.toThrow(`there is no file ${path}`)

  await writeFile(
    path,
    `backends: { s: { kind: simulated } }
models: [{ id: only, targets: [{ backend: s, model: x }], price: { input: 1, output: 1 }, max_output_tokens: 1, context_window: 1 }]`,
  )
  const catalogue = await load({ OPENAI_API_KEY: 'a' }, [], path)
  await rm(folder, { recursive: true })

  expect(catalogue.models.map(({ id }) => id)).toEqual(['only'])
})

test('a local server is asked for its models, and one that is silent or absent has none', async () => {
  await using server = createServer((request, response) => {
    if (request.url === '/v1/models') response.end(JSON.stringify({ object: 'list', data: [{ id: 'llama3.2:3b' }] }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  expect(await probeModels(`${origin}/v1`)).toEqual(['llama3.2:3b'])
  expect(await probeModels(`${origin}/silent`)).toEqual([])
  expect(await probeModels('http://127.0.0.1:1/v1')).toEqual([])
})
