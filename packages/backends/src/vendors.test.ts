import { readFileSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { BackendConfig } from '@weir/contracts'
import { createBackends } from './create-backends.ts'
import { collect, never, requestOf } from './testing/requests.ts'
import { bodyOf, finish, serverFixture, sse } from './testing/upstream.ts'

const page = readFileSync(new URL('../../../docs/backends.md', import.meta.url), 'utf8')
const examples = [...page.matchAll(/```yaml\n(.*?)```/gs)].flatMap(([, text = '']) =>
  Object.entries<object>(parse(text)),
)
const exampleOf = (name: string) => examples.find(([each]) => each === name)![1] as { base_url: string }

test.each(examples)('the example of %s is accepted', (_name, written) => {
  expect(BackendConfig.safeParse(written).error).toBeUndefined()
})

/** What a server gets that stands where the example's does, on the same path. */
async function callTo(name: string) {
  let seen: { path: string | undefined; headers: IncomingHttpHeaders; body: Record<string, unknown> } | undefined
  await using server = await serverFixture(async (request, response) => {
    seen = { path: request.url, headers: request.headers, body: await bodyOf(request) }
    response.end(sse(finish()))
  })
  const written = exampleOf(name)
  const config = BackendConfig.parse({ ...written, base_url: server.url + new URL(written.base_url).pathname })
  await using backends = createBackends(
    { backends: new Map([[name, config]]) },
    { secretOf: (variable) => `<${variable}>` },
  )
  const target = { backend: name, model: 'gpt 4o/mini' }
  const { error } = await collect(backends.get(name)!.stream(requestOf(), target, never()))
  expect(error).toBeUndefined()
  return seen!
}

test('Azure is asked at the path of the deployment, with its version and its own header for the key', async () => {
  const { path, headers, body } = await callTo('azure-classic')

  expect(path).toBe('/openai/deployments/gpt%204o%2Fmini/chat/completions?api-version=2024-10-21')
  expect(headers).toMatchObject({ 'api-key': '<AZURE_OPENAI_API_KEY>' })
  expect(headers).not.toHaveProperty('authorization')
  expect(body).toMatchObject({ model: 'gpt 4o/mini' })
})

test('OpenRouter is told who asks', async () => {
  const { path, headers } = await callTo('openrouter')

  expect(path).toBe('/api/v1/chat/completions')
  expect(headers).toMatchObject({
    authorization: 'Bearer <OPENROUTER_API_KEY>',
    'http-referer': 'https://weir.example',
    'x-title': 'Weir',
  })
})

test('a server that knows no keys gets none', async () => {
  const { headers } = await callTo('vllm')

  expect(headers).not.toHaveProperty('authorization')
})
