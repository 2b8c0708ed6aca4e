import { once } from 'node:events'
import { ServiceError } from '@weir/contracts'
import { expect, test } from 'vitest'
import { AttemptStopped } from './attempts.ts'
import { cancel } from './cancel.ts'
import { answering, finish, holding, tenSoFar, text, unasked } from './testing/backend.ts'
import { model, requestOf, serviceFixture } from './testing/service.ts'

const streaming = requestOf({ stream: true })

test('a completion that is cancelled before a worker takes it never runs and costs nothing', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()

  await cancel(service, job.id)
  await service.run(job, unasked)

  expect(await service.outcomeOf(job)).toMatchObject({ state: 'cancelled', cost: 0n })
  expect(await service.rowOf(job)).toMatchObject({ state: 'cancelled', charged: 0n })
  expect(await service.books()).toEqual({ charged: 0n, reserved: 0n })
})

test.each([true, false])(
  'a completion cancelled while it runs pays for what was generated (stream: %s)',
  async (stream) => {
    await using service = await serviceFixture()
    const job = await service.submitted(requestOf({ stream }))
    const backend = holding(text('Water is lazy.'))
    const running = service.run(job, backend.play)
    const signal = await backend.reached

    await cancel(service, job.id)
    await running

    expect(signal.reason).toEqual(new AttemptStopped('cancelled'))
    expect(await service.outcomeOf(job)).toMatchObject({ state: 'cancelled', usage: { outputTokens: 4 }, cost: 13n })
    expect(await service.books()).toEqual({ charged: 13n, reserved: 0n })
  },
)

test('a completion that is cancelled before its first token costs nothing', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(streaming)
  const backend = holding()
  const running = service.run(job, backend.play)
  await backend.reached

  await cancel(service, job.id)
  await running

  expect(await service.outcomeOf(job)).toMatchObject({ state: 'cancelled', cost: 0n })
  expect(await service.books()).toEqual({ charged: 0n, reserved: 0n })
})

test.each([true, false])(
  'a completion cancelled before its first word pays for what its backend said it had used by then (stream: %s)',
  async (stream) => {
    await using service = await serviceFixture()
    const job = await service.submitted(requestOf({ stream }))
    const backend = holding(tenSoFar)
    const running = service.run(job, backend.play)
    await backend.reached

    await cancel(service, job.id)
    await running

    expect(await service.outcomeOf(job)).toMatchObject({
      state: 'cancelled',
      usage: { inputTokens: 10, outputTokens: 0, source: 'reported' },
      servedBy: 'gpu/small',
    })
    expect(await service.books()).toEqual({ charged: 10n, reserved: 0n })
  },
)

test('a completion cancelled in its answer pays for the prompt as reported, and for its words as counted', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  const backend = holding(tenSoFar, text('Water is lazy.'))
  const running = service.run(job, backend.play)
  await backend.reached

  await cancel(service, job.id)
  await running

  expect(await service.outcomeOf(job)).toMatchObject({
    usage: { inputTokens: 10, outputTokens: 4, source: 'estimated' },
  })
  expect(await service.books()).toEqual({ charged: 18n, reserved: 0n })
})

test('what a target used that failed is not charged to whoever cancels afterwards', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  const spare = holding()
  const running = service.run(
    job,
    async function* (request, target, signal) {
      if (target.model === 'small') {
        yield tenSoFar
        throw new ServiceError('backend_error', 'The backend failed.')
      }
      yield* spare.play(request, target, signal)
    },
    { catalogue: { find: () => ({ ...model, targets: [...model.targets, { backend: 'gpu', model: 'spare' }] }) } },
  )
  await spare.reached

  await cancel(service, job.id)
  await running

  expect(await service.outcomeOf(job)).toMatchObject({ state: 'cancelled', cost: 0n })
  expect(await service.books()).toEqual({ charged: 0n, reserved: 0n })
})

test('a completion that is cancelled after its deadline has expired', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(requestOf(), { timeoutMs: -1 })

  await cancel(service, job.id)

  expect(await service.outcomeOf(job)).toMatchObject({ state: 'expired', error: { code: 'deadline_exceeded' } })
  expect(await service.rowOf(job)).toMatchObject({ state: 'expired', charged: 0n })
})

test('a cancel whose message is lost is noticed all the same', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  const backend = holding(text('Water is lazy.'))
  const running = service.run(job, backend.play, {
    worker: { channel: 'a channel nobody hears', name: 'worker' },
  })
  const signal = await backend.reached

  await cancel(service, job.id)
  await running

  expect(signal.reason).toEqual(new AttemptStopped('cancelled'))
  expect(await service.books()).toEqual({ charged: 13n, reserved: 0n })
})

test('a backend that ends its answer in spite of a cancel does not complete it', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  const begun = Promise.withResolvers<void>()
  const running = service.run(job, async function* (_request, _target, signal) {
    yield text('Water')
    begun.resolve()
    await once(signal, 'abort')
    yield finish
  })
  await begun.promise

  await cancel(service, job.id)
  await running

  expect(await service.rowOf(job)).toMatchObject({ state: 'cancelled' })
})

test('a completion that has ended is not changed by a cancel', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  await service.run(job, answering)
  const before = await service.outcomeOf(job)

  await cancel(service, job.id)

  expect(await service.outcomeOf(job)).toEqual(before)
})

test('a completion that is not done by its deadline expires and costs nothing', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(streaming, { timeoutMs: 300 })

  expect(await service.run(job, holding(text('Water')).play)).toEqual({ kind: 'done' })

  expect(await service.outcomeOf(job)).toMatchObject({ state: 'expired', error: { code: 'deadline_exceeded' } })
  expect(await service.books()).toEqual({ charged: 0n, reserved: 0n })
})

test('a completion that a worker takes after its deadline is not run', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(requestOf(), { timeoutMs: -1 })

  await service.run(job, unasked)

  expect(await service.rowOf(job)).toMatchObject({ state: 'expired', charged: 0n })
})

test.each([
  ['a plain completion', requestOf(), [text('Water')]],
  ['a stream that has shown nothing', streaming, []],
])('%s is handed back at shutdown, and its attempt is not counted', async (_, request, chunks) => {
  await using service = await serviceFixture()
  const job = await service.submitted(request)
  const backend = holding(...chunks)
  const shutdown = new AbortController()
  const running = service.run(job, backend.play, { signal: shutdown.signal, maxAttempts: 1 })
  await backend.reached

  shutdown.abort('shutdown')

  expect(await running).toEqual({ kind: 'hand_back' })
  await service.run(job, answering, { maxAttempts: 1 })
  expect(await service.outcomeOf(job)).toMatchObject({ state: 'completed' })
})

test('a stream that has shown text is ended at shutdown, for free', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(streaming)
  const backend = holding(text('Water'))
  const shutdown = new AbortController()
  const running = service.run(job, backend.play, { signal: shutdown.signal })
  await backend.reached

  shutdown.abort('shutdown')

  expect(await running).toEqual({ kind: 'done' })
  expect(await service.outcomeOf(job)).toMatchObject({ state: 'failed', error: { code: 'stream_interrupted' } })
  expect(await service.books()).toEqual({ charged: 0n, reserved: 0n })
})

test('a job that was fetched too late for the shutdown goes back at once', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  const { play } = holding()

  expect(await service.run(job, play, { signal: AbortSignal.abort('shutdown') })).toEqual({ kind: 'hand_back' })
})

test.each([
  [true, 'cancelled', 10n],
  [false, 'expired', 0n],
] as const)(
  'what was used without a word by a deadline is charged where the client had set it: %s',
  async (own, state, cost) => {
    await using service = await serviceFixture()
    const job = await service.submitted(streaming, { timeoutMs: 1_000, ownDeadline: own })

    await service.run(job, holding(tenSoFar).play)

    expect(await service.outcomeOf(job)).toMatchObject({ state, error: { code: 'deadline_exceeded' } })
    expect(await service.books()).toEqual({ charged: cost, reserved: 0n })
  },
)

test.each([
  [true, 'cancelled', 13n],
  [false, 'expired', 0n],
] as const)('what was generated by a deadline is charged where the client had set it: %s', async (own, state, cost) => {
  await using service = await serviceFixture()
  const job = await service.submitted(streaming, { timeoutMs: 1_000, ownDeadline: own })
  const backend = holding(text('Water is lazy.'))

  await service.run(job, backend.play)

  expect(await service.outcomeOf(job)).toMatchObject({ state, error: { code: 'deadline_exceeded' } })
  expect(await service.books()).toEqual({ charged: cost, reserved: 0n })
})
