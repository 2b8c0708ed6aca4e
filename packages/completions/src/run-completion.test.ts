import { ServiceError } from '@weir/contracts'
import { expect, test, vi } from 'vitest'
import { type Play, USAGE_COST, answering, finish, playing, tenSoFar, text, unasked } from './testing/backend.ts'
import { model, requestOf, serviceFixture } from './testing/service.ts'

const broken = new ServiceError('backend_error', 'The backend failed.')
const streaming = requestOf({ stream: true })

test('a plain completion ends with its answer and is charged what the backend reported', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()

  expect(await service.run(job, answering)).toEqual({ kind: 'done' })

  expect(await service.outcomeOf(job)).toEqual({
    state: 'completed',
    usage: { inputTokens: 10, cachedInputTokens: 0, outputTokens: 5, source: 'reported' },
    cost: USAGE_COST,
    servedBy: 'gpu/small',
    choices: [{ index: 0, parts: [{ type: 'text', text: 'Water is lazy.' }], finishReason: 'stop' }],
    attempts: [
      {
        attempt: 1,
        worker: 'worker',
        target: 'gpu/small',
        startedAt: expect.any(Number),
        endedAt: expect.any(Number),
        end: 'completed',
      },
    ],
  })
  expect(await service.books()).toEqual({ charged: USAGE_COST, reserved: 0n })
  expect(await service.rowOf(job)).toEqual({ state: 'completed', error_code: null, charged: USAGE_COST })
})

test('a completion that has ended gives its place back', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()

  await service.run(job, answering)

  expect(await service.redis.zcard(service.places)).toBe(0)
})

test('a stream shows its text in frames and keeps none of it in its record', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(streaming)

  await service.run(job, answering)

  const frames = await service.relay.framesAfter(job.id, { epoch: 0, sequence: 0 }, 100)
  const chunks = frames.flatMap((frame) => frame.chunks)
  expect(chunks.map((chunk) => (chunk.type === 'text' ? chunk.text : chunk.type)).join('')).toBe('Water is lazy.finish')
  expect(await service.outcomeOf(job)).toMatchObject({ state: 'completed', choices: [{ parts: [] }], cost: USAGE_COST })
})

test('a plain completion shows nothing before its end', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()

  await service.run(job, answering)

  expect(await service.relay.framesAfter(job.id, { epoch: 0, sequence: 0 }, 100)).toEqual([])
})

test('where the backend does not tell the usage it is counted', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()

  await service.run(job, playing(text('Water is lazy.'), finish))

  const outcome = (await service.outcomeOf(job))!
  expect(outcome.usage).toMatchObject({ source: 'estimated', inputTokens: 5, outputTokens: 4 })
  expect(await service.books()).toEqual({ charged: 13n, reserved: 0n })
})

test('a completion is never charged more than was reserved, whatever its backend says it used', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  const absurd = {
    inputTokens: Number.MAX_SAFE_INTEGER,
    cachedInputTokens: 0,
    outputTokens: Number.MAX_SAFE_INTEGER,
    source: 'reported',
  } as const

  await service.run(job, playing(text('Water is lazy.'), finish, { type: 'usage', usage: absurd }))

  expect(await service.books()).toEqual({ charged: job.quote, reserved: 0n })
  expect(await service.outcomeOf(job)).toMatchObject({ state: 'completed', cost: job.quote })
})

test('a model that does not stop at its output limit is stopped, and its stream costs nothing', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(requestOf({ stream: true, maxOutputTokens: 1 }))
  const endless: Play = async function* () {
    for (;;) yield text('on and on ')
  }

  expect(await service.run(job, endless)).toEqual({ kind: 'done' })

  expect(await service.outcomeOf(job)).toMatchObject({ state: 'failed', error: { code: 'stream_interrupted' } })
  expect(await service.books()).toEqual({ charged: 0n, reserved: 0n })
})

test('a completion is charged by the price it was quoted with', async () => {
  await using service = await serviceFixture()
  const job = await service.admit()
  const price = { input: 3_000_000n, cachedInput: 3_000_000n, output: 4_000_000n }
  await service.relay.submit({ ...job, price }, service.replies.channel)

  await service.run(job, answering)

  expect(await service.books()).toEqual({ charged: 50n, reserved: 0n })
})

test('a backend that fails before it has said anything is tried again, and then the completion fails for free', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  const backend = vi.fn(playing(broken))

  const ends = [await service.run(job, backend), await service.run(job, backend), await service.run(job, backend)]

  expect(ends.map(({ kind }) => kind)).toEqual(['retry', 'retry', 'done'])
  expect(backend).toHaveBeenCalledTimes(3)
  expect(await service.outcomeOf(job)).toMatchObject({ state: 'failed', cost: 0n, error: { code: 'backend_error' } })
  expect(await service.books()).toEqual({ charged: 0n, reserved: 0n })
})

test('a plain completion whose backend breaks off runs again, since nobody has seen its text', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()

  const ends = [await service.run(job, playing(text('Water'), broken)), await service.run(job, answering)]

  expect(ends.map(({ kind }) => kind)).toEqual(['retry', 'done'])
  expect(await service.outcomeOf(job)).toMatchObject({
    choices: [{ parts: [{ type: 'text', text: 'Water is lazy.' }] }],
    cost: USAGE_COST,
  })
})

test('a plain completion whose target breaks off goes on with the next one at once, and only that is charged', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  const twoTargets = { ...model, targets: [...model.targets, { backend: 'gpu', model: 'spare' }] }
  const play: Play = async function* (request, target, signal) {
    if (target.model === 'spare') return yield* answering(request, target, signal)
    yield tenSoFar
    yield text('Water')
    throw broken
  }

  expect(await service.run(job, play, { catalogue: { find: () => twoTargets } })).toEqual({ kind: 'done' })

  expect(await service.outcomeOf(job)).toMatchObject({
    choices: [{ parts: [{ type: 'text', text: 'Water is lazy.' }] }],
    cost: USAGE_COST,
    servedBy: 'gpu/spare',
    attempts: [{ attempt: 1, target: 'gpu/spare', tried: [{ target: 'gpu/small', error: 'backend_error' }] }],
  })
  expect(service.wasted).toEqual([{ tokens: 1, why: 'failed' }])
})

test('a backend that says it is not worth asking again is not asked again', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  const wrongKey = new ServiceError('backend_error', 'The backend failed.', { retryable: false })

  expect(await service.run(job, playing(wrongKey))).toEqual({ kind: 'done' })

  expect(await service.outcomeOf(job)).toMatchObject({ state: 'failed', error: { code: 'backend_error' } })
})

test('a stream that has shown no more than a signature is not begun again', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(streaming)
  const signature = { type: 'signature', choice: 0, text: 'EqQB' } as const

  expect(await service.run(job, playing(signature, broken))).toEqual({ kind: 'done' })

  expect(await service.outcomeOf(job)).toMatchObject({ state: 'failed', error: { code: 'stream_interrupted' } })
})

test('a stream whose backend breaks off after its first text ends with an error and costs nothing', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(streaming)

  expect(await service.run(job, playing(text('Water'), broken))).toEqual({ kind: 'done' })

  expect(await service.outcomeOf(job)).toMatchObject({ state: 'failed', error: { code: 'stream_interrupted' } })
  expect(await service.books()).toEqual({ charged: 0n, reserved: 0n })
})

test('a stream whose backend fails before its first text may begin again', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(streaming)

  const ends = [await service.run(job, playing(broken)), await service.run(job, answering)]

  expect(ends.map(({ kind }) => kind)).toEqual(['retry', 'done'])
  expect(await service.outcomeOf(job)).toMatchObject({ state: 'completed' })
})

test('what a worker finds wrong with a request is told with the field', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  const wrong = new ServiceError('invalid_request', 'It is no image.', { param: 'messages[0].content[1]' })

  await service.run(job, playing(wrong))

  expect(await service.outcomeOf(job)).toMatchObject({ error: { param: 'messages[0].content[1]' } })
})

test('a request that the backend refuses is not tried again', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()

  expect(await service.run(job, playing(new ServiceError('invalid_request', 'No.')))).toEqual({ kind: 'done' })

  expect(await service.outcomeOf(job)).toMatchObject({ error: { code: 'invalid_request', message: 'No.' }, cost: 0n })
})

test('a retry that would come after the deadline is not made', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  const overloaded = new ServiceError('backend_overloaded', 'Busy.', { retryAfterMs: 3_600_000 })

  expect(await service.run(job, playing(overloaded))).toEqual({ kind: 'done' })

  expect(await service.outcomeOf(job)).toMatchObject({ error: { code: 'backend_overloaded' } })
})

test('a completion whose model has left the catalogue fails, free, after its attempts', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()
  const gone = { catalogue: { find: () => undefined }, maxAttempts: 1 }

  await service.run(job, unasked, gone)

  expect(await service.outcomeOf(job)).toMatchObject({ error: { code: 'backend_error' }, cost: 0n })
})

test('what a bug of ours says is kept from the client', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted()

  await service.run(job, playing(new Error('secret of the inside')), { maxAttempts: 1 })

  const outcome = (await service.outcomeOf(job))!
  expect(outcome).toMatchObject({ state: 'failed', error: { code: 'internal' }, cost: 0n })
  expect(JSON.stringify(outcome.error)).not.toContain('inside')
})
