import { newAccountId, newCompletionId } from '@weir/contracts'
import type { Emitted } from '@weir/relay'
import { expect, onTestFinished, test, vi } from 'vitest'
import { AttemptStopped, type StopReason, createAttempts } from './attempts.ts'
import type { Audience } from './audience.ts'

type Check = Parameters<typeof createAttempts>[0]['check']

/** The attempts of a process whose Redis is played; its time stands still until the test moves it. */
function attemptsFixture(check: Check, { patienceMs = 5_000, present = [] as string[] } = {}) {
  vi.useFakeTimers()
  const audience: Audience = {
    look: async () => {},
    mayHear: async (channels) => channels.length === 0 || channels.some((channel) => present.includes(channel)),
  }
  onTestFinished(() => void vi.useRealTimers())
  const attempts = createAttempts({ check }, audience, { patienceMs, graceMs: 3_000 })
  onTestFinished(() => attempts[Symbol.asyncDispose]())
  return {
    ...attempts,
    begin: (epoch = 1, id = newCompletionId()) =>
      attempts.begin({ id, accountId: newAccountId(), deadlineAt: Date.now() + 60_000 }, epoch),
  }
}

const because = (reason: StopReason) => new AttemptStopped(reason)
const answered =
  (...states: Emitted[]): Check =>
  async () =>
    states.map((said) => ({ said, audience: undefined }))

test.each(['stale', 'cancelled'] as const)(
  'an attempt that has become %s stops, and its neighbours go on',
  async (state) => {
    const attempts = attemptsFixture(answered('emitted', state))
    using going = attempts.begin()
    using stopped = attempts.begin()

    await vi.advanceTimersByTimeAsync(1_000)

    expect(going.signal.aborted).toBe(false)
    expect(stopped.signal.reason).toEqual(because(state))
  },
)

test('attempts stop when Redis has not answered for longer than their patience, and not before', async () => {
  const attempts = attemptsFixture(() => Promise.reject(new Error('Connection is closed.')))
  using attempt = attempts.begin()

  await vi.advanceTimersByTimeAsync(4_500)
  expect(attempt.signal.aborted).toBe(false)
  await vi.advanceTimersByTimeAsync(1_500)

  expect(attempt.signal.reason).toEqual(because('lost'))
})

test('a Redis that answers in between is forgiven', async () => {
  const answers = vi.fn<Check>().mockRejectedValue(new Error('Connection is closed.'))
  const attempts = attemptsFixture(answers)
  using attempt = attempts.begin()
  await vi.advanceTimersByTimeAsync(3_000)

  answers.mockResolvedValueOnce([{ said: 'emitted', audience: undefined }])
  await vi.advanceTimersByTimeAsync(4_000)

  expect(attempt.signal.aborted).toBe(false)
})

test('all attempts of a process are asked about at once, and those that have ended are not', async () => {
  const check = vi.fn(answered('emitted', 'emitted'))
  const attempts = attemptsFixture(check)
  using first = attempts.begin(3)
  attempts.begin()[Symbol.dispose]()
  using second = attempts.begin(5)

  await vi.advanceTimersByTimeAsync(1_000)

  expect(check).toHaveBeenCalledOnce()
  expect(check).toHaveBeenCalledWith([first, second])
})

test('an attempt stops at its deadline', async () => {
  const attempts = attemptsFixture(answered('emitted'))
  using attempt = attempts.begin()

  await vi.advanceTimersByTimeAsync(60_000)

  expect(attempt.signal.reason).toEqual(because('deadline'))
})

test('the first reason to stop is the one that counts', async () => {
  const attempts = attemptsFixture(answered('emitted'))
  using attempt = attempts.begin()

  attempts.stop(attempt.id, 'cancelled')
  attempt.stop('shutdown')

  expect(attempt.signal.reason).toEqual(because('cancelled'))
})

test('the end of an older attempt does not hide a newer one at the same completion', async () => {
  const attempts = attemptsFixture(answered('emitted'))
  const older = attempts.begin(1)
  using newer = attempts.begin(2, older.id)
  older[Symbol.dispose]()

  attempts.stop(newer.id, 'cancelled')

  expect(newer.signal.aborted).toBe(true)
})

test('a completion that does not run here is not stopped here', () => {
  const attempts = attemptsFixture(answered())

  expect(() => attempts.stop(newCompletionId(), 'cancelled')).not.toThrow()
})

const listened =
  (audience: string[]): Check =>
  async () => [{ said: 'emitted', audience }]

test('an attempt whose listeners have gone is cancelled after the grace, and not before', async () => {
  const attempts = attemptsFixture(listened([]))
  using attempt = attempts.begin()

  await vi.advanceTimersByTimeAsync(3_500)
  expect(attempt.signal.aborted).toBe(false)
  await vi.advanceTimersByTimeAsync(1_500)

  expect(attempt.signal.reason).toEqual(because('cancelled'))
})

test('an attempt that somebody listens to again within the grace goes on', async () => {
  const audience: string[] = []
  const attempts = attemptsFixture(listened(audience), { present: ['replica'] })
  using attempt = attempts.begin()
  await vi.advanceTimersByTimeAsync(2_500)

  audience.push('replica')
  await vi.advanceTimersByTimeAsync(10_000)

  expect(attempt.signal.aborted).toBe(false)
})

test('an attempt whose replica has died is no longer heard, and stops', async () => {
  const attempts = attemptsFixture(listened(['a dead replica']))
  using attempt = attempts.begin()

  await vi.advanceTimersByTimeAsync(1_000)

  expect(attempt.signal.reason).toEqual(because('unheard'))
})

test('an attempt that needs no listeners goes on without any', async () => {
  const attempts = attemptsFixture(answered('emitted'))
  using attempt = attempts.begin()

  await vi.advanceTimersByTimeAsync(30_000)

  expect(attempt.signal.aborted).toBe(false)
})
