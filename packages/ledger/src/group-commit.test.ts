import { ServiceError } from '@weir/contracts'
import { afterEach, expect, test, vi } from 'vitest'
import { type GroupCommitOptions, OutcomeUnknown, createGroupCommit } from './group-commit.ts'

/** Longer than any test: it passes only when a test moves the clock. */
const TIMEOUT_MS = 600_000

type Op = { id: number; key: string; order: string }

afterEach(() => void vi.useRealTimers())

/** A group commit whose batches end when the test says so. */
function groupCommitFixture(options: Partial<GroupCommitOptions<Op, string>> = {}) {
  const batches: { ids: number[]; ops: readonly Op[]; resolve(): void; reject(error: unknown): void }[] = []
  const sent = new Map<number, () => void>()
  const groupCommit = createGroupCommit<Op, string>({
    commit: (ops) =>
      new Promise((resolve, reject) => {
        const ids = ops.map(({ id }) => id)
        batches.push({ ids, ops, reject, resolve: () => resolve(ids.map((id) => `verdict of ${id}`)) })
        sent.get(batches.length)?.()
      }),
    keyOf: ({ key }) => key,
    orderOf: ({ order }) => order,
    isTransient: (error) => (error as Error).message === 'transient',
    maxBatch: 10,
    maxQueued: 100,
    timeoutMs: TIMEOUT_MS,
    ...options,
  })
  return {
    batches,
    sizes: () => batches.map(({ ids }) => ids),
    submit: (id: number, { key = `key ${id}`, order = '' } = {}) => groupCommit.submit({ id, key, order }),
    /** Resolves when so many batches have been sent. */
    sent: (count: number) =>
      batches.length >= count ? Promise.resolve() : new Promise<void>((resolve) => sent.set(count, resolve)),
    dispose: () => groupCommit[Symbol.asyncDispose](),
  }
}

const outcomesOf = async (verdicts: Promise<string>[]): Promise<string[]> =>
  (await Promise.allSettled(verdicts)).map((result) =>
    result.status === 'fulfilled' ? result.value : (result.reason as Error).message,
  )

test('an operation is sent at once when nothing is under way', async () => {
  const { batches, submit } = groupCommitFixture()

  const verdict = submit(1)

  expect(batches[0]!.ids).toEqual([1])
  batches[0]!.resolve()
  expect(await verdict).toBe('verdict of 1')
})

test('what comes while a batch commits is sent together when it is back', async () => {
  const { batches, submit, sent, sizes } = groupCommitFixture()
  const verdicts = [1, 2, 3].map((id) => submit(id))
  expect(sizes()).toEqual([[1]])

  batches[0]!.resolve()
  await sent(2)
  batches[1]!.resolve()

  expect(await outcomesOf(verdicts)).toEqual(['verdict of 1', 'verdict of 2', 'verdict of 3'])
  expect(sizes()).toEqual([[1], [2, 3]])
})

test('who was just answered and asks again joins those that waited', async () => {
  const { batches, submit, sent, sizes } = groupCommitFixture()
  const again = submit(1).then(() => submit(3))
  const waited = submit(2)

  batches[0]!.resolve()
  await sent(2)
  batches[1]!.resolve()

  expect(await outcomesOf([again, waited])).toEqual(['verdict of 3', 'verdict of 2'])
  expect(sizes()).toEqual([[1], [2, 3]])
})

test('it is idle again after its work: the next operation is sent at once', async () => {
  const { batches, submit, dispose } = groupCommitFixture()
  const first = submit(1)
  batches[0]!.resolve()
  await first
  await dispose()

  void submit(2)

  expect(batches[1]!.ids).toEqual([2])
})

test('a batch never grows past its limit, and what is left over goes next, in order', async () => {
  const { batches, submit, sent, sizes } = groupCommitFixture({ maxBatch: 2 })
  const verdicts = [1, 2, 3, 4, 5, 6].map((id) => submit(id))

  for (let i = 0; i < 4; i++) {
    await sent(i + 1)
    batches[i]!.resolve()
  }

  await Promise.all(verdicts)
  expect(sizes()).toEqual([[1], [2, 3], [4, 5], [6]])
})

test('a batch never weighs more than it may, and what is too heavy for any goes alone', async () => {
  const { batches, submit, sent, sizes } = groupCommitFixture({ weightOf: ({ id }) => id, maxBatchWeight: 7 })
  const verdicts = [1, 3, 4, 5, 9, 2].map((id) => submit(id))

  for (let i = 0; i < 4; i++) {
    await sent(i + 1)
    batches[i]!.resolve()
  }

  await Promise.all(verdicts)
  expect(sizes()).toEqual([[1], [3, 4], [5, 2], [9]])
})

test('a full queue refuses at once and says when to come back', async () => {
  const { submit } = groupCommitFixture({ maxQueued: 2 })
  for (const id of [1, 2, 3]) void submit(id)

  const refusal = await submit(4).catch((error: unknown) => error)

  expect(refusal).toBeInstanceOf(ServiceError)
  const message = expect.stringContaining('Too many operations are waiting')
  expect(refusal).toMatchObject({ code: 'service_unavailable', message, retryAfterMs: expect.any(Number) })
})

test('every batch that was committed is told of, and none that was not', async () => {
  const told: (readonly string[])[] = []
  const { batches, submit, sent } = groupCommitFixture({ onCommitted: ({ verdicts }) => told.push(verdicts) })
  const outcomes = outcomesOf([1, 2].map((id) => submit(id)))

  batches[0]!.reject(new Error('poison'))
  await sent(2)
  batches[1]!.resolve()

  expect(await outcomes).toEqual(['poison', 'verdict of 2'])
  expect(told).toEqual([['verdict of 2']])
})

test('an operation that waited too long is refused and never sent', async () => {
  vi.useFakeTimers()
  const { batches, submit, sent, sizes } = groupCommitFixture()
  const outcomes = outcomesOf([submit(1), submit(2)])

  vi.advanceTimersByTime(TIMEOUT_MS)
  const last = submit(3)
  batches[0]!.resolve()
  await sent(2)
  batches[1]!.resolve()

  expect(await outcomes).toEqual(Array(2).fill(expect.stringContaining('did not answer in time')))
  expect(await last).toBe('verdict of 3')
  expect(sizes()).toEqual([[1], [3]])
})

test('operations that nobody waits for any more make room in the queue', async () => {
  vi.useFakeTimers()
  const { batches, submit, dispose, sent } = groupCommitFixture({ maxQueued: 2 })
  const expired = outcomesOf([submit(1), submit(2), submit(3)])
  vi.advanceTimersByTime(TIMEOUT_MS)
  await expired
  batches[0]!.resolve()
  await dispose()

  const verdict = submit(4)

  await sent(2)
  batches[1]!.resolve()
  expect(await verdict).toBe('verdict of 4')
})

test('a batch whose outcome is unknown is sent again as it was, and nobody notices', async () => {
  vi.useFakeTimers()
  const { batches, submit, sent, sizes } = groupCommitFixture()
  const verdicts = [1, 2, 3].map((id) => submit(id))
  batches[0]!.resolve()
  await sent(2)

  for (const attempt of [1, 2, 3]) {
    batches[attempt]!.reject(new Error('transient'))
    await vi.advanceTimersToNextTimerAsync()
    await sent(attempt + 2)
  }
  batches[4]!.resolve()

  expect(await outcomesOf(verdicts)).toEqual(['verdict of 1', 'verdict of 2', 'verdict of 3'])
  expect(sizes()).toEqual([[1], [2, 3], [2, 3], [2, 3], [2, 3]])
})

test('a batch is no longer repeated once nobody waits for it, and the next one has its turn', async () => {
  vi.useFakeTimers()
  const { batches, submit, sent, sizes } = groupCommitFixture()
  const outcomes = outcomesOf([submit(1)])
  vi.advanceTimersByTime(TIMEOUT_MS)
  const next = submit(2)

  batches[0]!.reject(new Error('transient'))
  await sent(2)
  batches[1]!.resolve()

  expect(await outcomes).toEqual([expect.stringContaining('did not answer in time')])
  expect(await next).toBe('verdict of 2')
  expect(sizes()).toEqual([[1], [2]])
})

test('what is asked again leaves out those whose callers have gone', async () => {
  vi.useFakeTimers()
  const { batches, submit, sent, sizes } = groupCommitFixture()
  const first = submit(1)
  const left = outcomesOf([submit(2)])
  vi.advanceTimersByTime(TIMEOUT_MS / 2)
  const waiting = submit(3)
  batches[0]!.resolve()
  await sent(2)

  vi.advanceTimersByTime(TIMEOUT_MS / 2)
  batches[1]!.reject(new Error('transient'))
  await vi.advanceTimersToNextTimerAsync()
  await sent(3)
  batches[2]!.resolve()

  expect(await Promise.all([first, waiting])).toEqual(['verdict of 1', 'verdict of 3'])
  expect(await left).toEqual([expect.stringContaining('did not answer in time')])
  expect(sizes()).toEqual([[1], [2, 3], [3]])
})

test('an operation that cannot be committed is refused alone, and its neighbours get their verdicts', async () => {
  const commit = async (ops: readonly Op[]) => {
    if (ops.some(({ id }) => id === 5)) throw new Error('poison')
    return ops.map(({ id }) => `verdict of ${id}`)
  }
  const { submit } = groupCommitFixture({ commit })

  const outcomes = await outcomesOf([1, 2, 3, 4, 5, 6, 7].map((id) => submit(id)))

  const verdicts = [1, 2, 3, 4].map((id) => `verdict of ${id}`)
  expect(outcomes).toEqual([...verdicts, 'poison', 'verdict of 6', 'verdict of 7'])
})

test('one key is never twice in a batch, and its operations keep their order', async () => {
  const { batches, submit, sent, sizes } = groupCommitFixture()
  const verdicts = [submit(1), submit(2, { key: 'a' }), submit(3, { key: 'a' }), submit(4), submit(5, { key: 'a' })]

  for (let i = 0; i < 4; i++) {
    await sent(i + 1)
    batches[i]!.resolve()
  }

  await Promise.all(verdicts)
  expect(sizes()).toEqual([[1], [2, 4], [3], [5]])
})

test('a key that is being committed is not sent again before its verdict', async () => {
  const { batches, submit, sent, sizes } = groupCommitFixture()
  const verdicts = [submit(1, { key: 'a' }), submit(2, { key: 'a' })]
  expect(sizes()).toEqual([[1]])

  batches[0]!.resolve()
  await sent(2)
  batches[1]!.resolve()

  expect(await outcomesOf(verdicts)).toEqual(['verdict of 1', 'verdict of 2'])
})

test('a batch is sorted, operations of equal order stay as they came, and each gets its own verdict', async () => {
  const { batches, submit, sent } = groupCommitFixture()
  const first = submit(0)
  const orders = ['b', 'a', 'c', 'a', 'b', 'a']
  const verdicts = orders.map((order, i) => submit(i + 1, { order }))

  batches[0]!.resolve()
  await sent(2)
  batches[1]!.resolve()

  expect(batches[1]!.ids).toEqual([2, 4, 6, 1, 5, 3])
  expect(await outcomesOf([first, ...verdicts])).toEqual([0, 1, 2, 3, 4, 5, 6].map((id) => `verdict of ${id}`))
})

test('disposal waits for what is in flight and for what is queued', async () => {
  const { batches, submit, sent, dispose } = groupCommitFixture()
  const told: string[] = []
  for (const id of [1, 2]) void submit(id).then((verdict) => told.push(verdict))
  const disposed = dispose().then(() => told.push('disposed'))

  batches[0]!.resolve()
  await sent(2)
  expect(told).not.toContain('disposed')
  batches[1]!.resolve()
  await disposed

  expect(told).toEqual(['verdict of 1', 'verdict of 2', 'disposed'])
})

test('an operation that waited too long tells whether it may be committed all the same', async () => {
  vi.useFakeTimers()
  const { submit } = groupCommitFixture()
  const results = Promise.allSettled([submit(1), submit(2)])

  vi.advanceTimersByTime(TIMEOUT_MS)

  const [sent, unsent] = (await results).map((result) => (result as PromiseRejectedResult).reason)
  expect(sent).toBeInstanceOf(OutcomeUnknown)
  expect(unsent).toMatchObject({ code: 'service_unavailable' })
  expect(unsent).not.toBeInstanceOf(OutcomeUnknown)
})

test.each([
  ['a server that was not reached', [true], 5, false],
  ['a connection that was lost', [false], 5, true],
  ['a connection that was lost, then a server that was not reached', [false, true], 15, true],
])('after %s an operation is known to be uncommitted, or not', async (_, arrivals, timeoutMs, isUnknown) => {
  vi.useFakeTimers()
  const failures = [...arrivals]
  const { batches, submit, sent } = groupCommitFixture({ timeoutMs, neverArrived: () => failures.shift()! })
  const outcome = submit(1).catch((error: unknown) => error)

  // Its time is over in the pause after the last failure.
  for (const [i] of arrivals.entries()) {
    await sent(i + 1)
    batches[i]!.reject(new Error('transient'))
    await vi.advanceTimersByTimeAsync(i < arrivals.length - 1 ? 10 : 6)
  }

  expect((await outcome) instanceof OutcomeUnknown).toBe(isUnknown)
})
