import { expect, test } from 'vitest'
import { type Chunk, type ErrorCode, ServiceError, noUsage } from '@weir/contracts'
import type { Backend } from './backend.ts'
import { type Route, streamFromTargets } from './run-target.ts'
import { createTargetHealth } from './target-health.ts'
import { collect, never, requestOf, textOf } from './testing/requests.ts'

const saying = (...texts: string[]): Chunk[] => texts.map((text) => ({ type: 'text', choice: 0, text }))

const sixSoFar: Chunk = { type: 'usage', usage: { ...noUsage, inputTokens: 6 }, soFar: true }

const playing = (name: string, chunks: Chunk[], failure?: ErrorCode | ServiceError): Backend => ({
  name,
  async *stream() {
    yield* chunks
    if (failure) throw failure instanceof ServiceError ? failure : new ServiceError(failure, `${name} failed`)
  },
  [Symbol.asyncDispose]: async () => {},
})

const routed = (...played: Backend[]) => routedBy({}, ...played)

async function routedBy(given: Partial<Route>, ...played: Backend[]) {
  const served: string[] = []
  const failures: string[] = []
  const skipped: string[] = []
  const used: string[] = []
  const result = await collect(
    streamFromTargets({
      backends: new Map(played.map((backend) => [backend.name, backend])),
      model: modelOn(...played),
      request: requestOf(),
      signal: never(),
      onTarget: (target) => served.push(target),
      onUsedSoFar: (target, { inputTokens }) => used.push(`${target} ${inputTokens}`),
      onTargetFailed: (target) => void failures.push(target),
      onTargetSkipped: (target, why) => skipped.push(`${target} ${why}`),
      ...given,
    }),
  )
  return { ...result, served, failures, skipped, used }
}

const modelOn = (...played: Pick<Backend, 'name'>[]): Route['model'] => ({
  id: 'fast',
  contextWindow: 1_000,
  targets: played.map(({ name }) => ({ backend: name, model: 'm' })),
})

/** Vendors that have told some backends to wait. */
function quotaOf(closed: Record<string, number>) {
  const told: [string, number][] = []
  const close = (group: string, forMs: number) => {
    told.push([group, forMs])
    closed[group] = forMs
  }
  return { quota: { closedMs: (group: string) => closed[group] ?? 0, close }, told }
}

test('a target that fails before it says anything is replaced by the next', async () => {
  const { chunks, error, served, failures } = await routed(
    playing('down', [], 'backend_error'),
    playing('full', [], 'backend_overloaded'),
    playing('well', saying('Hello')),
    playing('spare', saying('Unneeded')),
  )

  expect(error).toBeUndefined()
  expect(textOf(chunks)).toBe('Hello')
  expect({ served, failures }).toEqual({ served: ['well/m'], failures: ['down/m', 'full/m'] })
})

test('a target that fails in the middle of a plain answer is replaced, for nobody has seen it', async () => {
  const { chunks, error, served, failures } = await routed(
    playing('broken', saying('Hel'), 'backend_error'),
    playing('well', saying('Hello')),
  )

  expect(error).toBeUndefined()
  expect(chunks.at(-1)).toMatchObject({ text: 'Hello' })
  expect({ served, failures }).toEqual({ served: ['broken/m', 'well/m'], failures: ['broken/m'] })
})

test('what a target has used so far is told, and does not keep the next from being asked', async () => {
  const { chunks, error, served, failures, used } = await routedBy(
    { request: requestOf({ stream: true }) },
    playing('down', [sixSoFar], 'backend_error'),
    playing('well', [sixSoFar, ...saying('Hello')]),
  )

  expect(error).toBeUndefined()
  expect(chunks).toEqual(saying('Hello'))
  expect({ served, failures, used }).toEqual({
    served: ['well/m'],
    failures: ['down/m'],
    used: ['down/m 6', 'well/m 6'],
  })
})

test('a target that was called off is not told to have failed', async () => {
  const stopping = new AbortController()
  const closed: Backend = {
    ...playing('closed', []),
    async *stream() {
      yield* []
      stopping.abort()
      throw new ServiceError('backend_error', 'It was closed.')
    },
  }

  const { error, failures } = await routedBy({ signal: stopping.signal }, closed, playing('well', saying('Hello')))

  expect({ error, failures }).toMatchObject({ error: { message: 'It was closed.' }, failures: [] })
})

test.each([
  ['a failure that may pass, whoever failed after it', false, 'may pass'],
  ['the last failure, where none will pass', true, 'spare'],
])('when all targets fail, what is told is %s', async (_what, isAlone, told) => {
  const final = (name: string) =>
    playing(name, [], new ServiceError('backend_error', `${name} failed`, { retryable: false }))

  const { error } = await routed(...(isAlone ? [] : [playing('may pass', [], 'backend_error')]), final('spare'))

  expect(error).toMatchObject({ message: `${told} failed` })
})

test('a failure that will not pass leaves those to wait for that are left alone for now', async () => {
  const { quota } = quotaOf({ cooling: 3_000 })

  const { error, skipped } = await routedBy(
    { health: createTargetHealth({ quota }) },
    playing('wrong', [], new ServiceError('backend_error', 'wrong failed', { retryable: false })),
    playing('cooling', saying('Hello')),
  )

  expect(error).toMatchObject({ code: 'backend_overloaded', retryAfterMs: 3_000, retryable: true })
  expect(skipped).toEqual(['cooling/m cooling_down'])
})

test('a target that fails in the middle of a stream is not replaced', async () => {
  const { chunks, error, served } = await routedBy(
    { request: requestOf({ stream: true }) },
    playing('broken', saying('Hel'), 'backend_error'),
    playing('well', saying('Hello')),
  )

  expect(textOf(chunks)).toBe('Hel')
  expect(error).toMatchObject({ message: 'broken failed' })
  expect(served).toEqual(['broken/m'])
})

test('a request that a target refuses is not offered to the next', async () => {
  const { error } = await routed(playing('strict', [], 'context_length_exceeded'), playing('well', saying('Hello')))

  expect(error).toMatchObject({ code: 'context_length_exceeded' })
})

test('when all targets fail, the failure of the last is told', async () => {
  const { error, served } = await routed(playing('a', [], 'backend_error'), playing('b', [], 'backend_overloaded'))

  expect(error).toMatchObject({ message: 'b failed' })
  expect(served).toEqual([])
})

test('a target that cannot do what is asked is not asked', async () => {
  const model = modelOn({ name: 'blind' }, { name: 'seeing' })
  model.targets[0]!.capabilities = ['tools']
  const image = { type: 'image' as const, source: { kind: 'url' as const, url: 'https://pictures.test/1.png' } }
  const request = requestOf({ messages: [{ role: 'user', content: [image] }] })

  const { served, failures } = await routedBy(
    { model, request },
    playing('blind', saying('Darkness')),
    playing('seeing', saying('A cat')),
  )

  expect({ served, failures }).toEqual({ served: ['seeing/m'], failures: [] })
})

test('the words of one backend have no name for it, and the next one has', async () => {
  const { served, failures } = await routed(
    playing('mute', [], 'unsupported_parameter'),
    playing('fluent', saying('Hello')),
  )

  expect({ served, failures }).toEqual({ served: ['fluent/m'], failures: ['mute/m'] })
})

test('a vendor that says to wait is left alone, and the request goes elsewhere', async () => {
  const { quota, told } = quotaOf({})
  const health = createTargetHealth({ quota })
  const busy = playing('busy', [], 'backend_overloaded')

  const first = await routedBy({ health }, busy, playing('well', saying('Hello')))
  const second = await routedBy({ health }, busy, playing('well', saying('Hello')))

  expect(told).toEqual([['busy', 5_000]])
  expect(first).toMatchObject({ served: ['well/m'], failures: ['busy/m'], skipped: [] })
  expect(second).toMatchObject({ served: ['well/m'], failures: [], skipped: ['busy/m cooling_down'] })
})

test('targets of one quota group are left alone together', async () => {
  const { quota } = quotaOf({ shared: 100 })
  const model = modelOn({ name: 'a' }, { name: 'b' }, { name: 'c' })
  for (const target of model.targets.slice(0, 2)) target.quotaGroup = 'shared'

  const { served, skipped } = await routedBy(
    { model, health: createTargetHealth({ quota }) },
    playing('a', saying('a')),
    playing('b', saying('b')),
    playing('c', saying('c')),
  )

  expect({ served, skipped }).toEqual({ served: ['c/m'], skipped: ['a/m cooling_down', 'b/m cooling_down'] })
})

test('when all vendors want to be left alone nobody is called, and it is told until when', async () => {
  const { quota } = quotaOf({ a: 3_000, b: 1_999.5 })

  const { error, served } = await routedBy(
    { health: createTargetHealth({ quota }) },
    playing('a', saying('a')),
    playing('b', saying('b')),
  )

  expect(error).toMatchObject({ name: 'TargetsCooling', code: 'backend_overloaded', retryAfterMs: 2_000 })
  expect(served).toEqual([])
})

test('a target whose breaker is open is passed over, unless there is no other', async () => {
  const health = createTargetHealth({ breaker: { firstProbeMs: 3_600_000, longestProbeMs: 3_600_000 } })
  const down = playing('down', [], 'backend_error')
  const well = playing('well', saying('Hello'))
  for (let i = 0; i < 5; i += 1) await routedBy({ health }, down, well)

  const passed = await routedBy({ health }, down, well)
  const alone = await routedBy({ health }, playing('down', saying('I am back')))

  expect(passed).toMatchObject({ served: ['well/m'], failures: [], skipped: ['down/m circuit_open'] })
  expect(alone).toMatchObject({ served: ['down/m'], skipped: [] })
  expect(health.standings()).toMatchObject([
    { target: 'down/m', breaker: 'open', successes: 1, failures: 5, lastError: { code: 'backend_error' } },
    { target: 'well/m', breaker: 'closed', successes: 6, failures: 0, lastError: undefined },
  ])
})

test('neither a refused request nor a call that was called off speaks against a target', async () => {
  const health = createTargetHealth()
  const stopping = new AbortController()
  const hanging: Backend = {
    ...playing('hanging', []),
    async *stream() {
      yield* []
      stopping.abort()
      throw new ServiceError('backend_error', 'It was closed.')
    },
  }

  await routedBy({ health }, playing('strict', [], 'invalid_request'))
  await routedBy({ health, signal: stopping.signal }, hanging)

  expect(health.standings()).toMatchObject([
    { target: 'strict/m', failures: 0 },
    { target: 'hanging/m', failures: 0 },
  ])
})
