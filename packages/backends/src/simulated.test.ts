import { expect, test } from 'vitest'
import { BackendConfig, type Chunk } from '@weir/contracts'
import { createSimulatedBackend, type SimulatedConfig } from './simulated.ts'
import { collect, never, requestOf, textOf } from './testing/requests.ts'

const target = { backend: 'pool', model: 'toy' }

const backendOf = (settings: Partial<SimulatedConfig> = {}) =>
  createSimulatedBackend(
    'pool',
    BackendConfig.parse({ kind: 'simulated', latency_ms: 0, tokens_per_second: 1e6, ...settings }) as SimulatedConfig,
  )

const textsOf = (chunks: Chunk[]) => chunks.filter(({ type }) => type === 'text')

test('a simulated answer says that it is, and reports what it took', async () => {
  const { chunks } = await collect(backendOf({ output_tokens: 10 }).stream(requestOf(), target, never()))

  expect(textOf(chunks)).toMatch(/^Simulated answer from pool\/toy:( \w+){6}$/)
  expect(textsOf(chunks)).toHaveLength(10)
  expect(chunks.slice(10)).toEqual([
    { type: 'finish', choice: 0, reason: 'stop' },
    { type: 'usage', usage: { inputTokens: 4, cachedInputTokens: 0, outputTokens: 10, source: 'reported' } },
  ])
})

test('the same request gets the same answer, another request another', async () => {
  const ask = async (content: string) =>
    textOf(
      (await collect(backendOf().stream(requestOf({ messages: [{ role: 'user', content }] }), target, never()))).chunks,
    )

  expect(await ask('one')).toBe(await ask('one'))
  expect(await ask('one')).not.toBe(await ask('two'))
})

test('an answer cut short by its output limit says so', async () => {
  const { chunks } = await collect(backendOf().stream(requestOf({ maxOutputTokens: 3 }), target, never()))

  expect(textOf(chunks)).toBe('Simulated answer from')
  expect(chunks[3]).toMatchObject({ type: 'finish', reason: 'length' })
})

test('a stop sequence ends the answer before it', async () => {
  const { chunks } = await collect(backendOf().stream(requestOf({ stop: ['never', 'er from'] }), target, never()))

  expect(textOf(chunks)).toBe('Simulated answ')
  expect(chunks[2]).toMatchObject({ type: 'finish', reason: 'stop' })
  expect(chunks[3]).toMatchObject({ usage: { outputTokens: 2 } })
})

test('a paced answer is whole', async () => {
  const settings = { tokens_per_second: 2_000, output_tokens: 300, latency_ms: 1 }
  const { chunks } = await collect(backendOf(settings).stream(requestOf({ maxOutputTokens: 300 }), target, never()))

  expect(textsOf(chunks)).toHaveLength(300)
})

test.each([
  ['refuse', 'backend_error', 0],
  ['overload', 'backend_overloaded', 0],
  ['break', 'backend_error', 2],
  ['truncate', 'backend_error', 2],
] as const)('the fault "%s" ends as %s after %d tokens', async (fault, code, tokens) => {
  const { chunks, error } = await collect(
    backendOf({ fault, fault_after_tokens: 2 }).stream(requestOf(), target, never()),
  )

  expect(error).toMatchObject({ code })
  expect(chunks).toHaveLength(tokens)
})

test('a fault with a number of times is over after them', async () => {
  const backend = backendOf({ fault: 'refuse', fault_times: 1 })

  expect((await collect(backend.stream(requestOf(), target, never()))).error).toBeDefined()
  expect((await collect(backend.stream(requestOf(), target, never()))).error).toBeUndefined()
})

test.each([
  ['hanging', { fault: 'hang' as const }],
  ['slow', { tokens_per_second: 0.001 }],
  ['late', { latency_ms: 600_000 }],
  ['endless', { output_tokens: 100_000 }],
])('a %s answer ends at once when it is aborted', async (_what, settings) => {
  const cancel = new AbortController()
  const reason = new Error('enough')
  setTimeout(() => cancel.abort(reason), 5)

  const request = requestOf({ maxOutputTokens: 100_000 })
  const { error } = await collect(backendOf(settings).stream(request, target, cancel.signal))

  expect(error).toBe(reason)
})
