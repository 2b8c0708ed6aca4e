import { type ServiceError, newAccountId, newCompletionId, newKeyId } from '@weir/contracts'
import type { AdmissionVerdict, Entrant } from '@weir/queue'
import { expect, test, vi } from 'vitest'
import { estimatedTokens } from './rate-tokens.ts'
import { holdPlace, takePlace } from './take-place.ts'
import { requestOf } from './testing/service.ts'

const identity = { accountId: newAccountId(), keyId: newKeyId() }

/** What comes of asking an admission that gives this verdict. */
async function asking(verdict: AdmissionVerdict, timeoutMs = 60_000) {
  const enter = vi.fn(async (_: Entrant) => verdict)
  const onStanding = vi.fn()
  const asked = { id: newCompletionId(), request: requestOf(), timeoutMs }
  const refusal = await takePlace({ admission: { enter } }, identity, asked, onStanding).then(
    () => undefined,
    (error: ServiceError) => error,
  )
  return { refusal, entrant: enter.mock.calls[0]![0], onStanding }
}

test('a request reserves about its input and the most it may answer', () => {
  const request = requestOf({ messages: [{ role: 'user', content: 'x'.repeat(4_000) }], maxOutputTokens: 100 })

  // A thousand and a hundred, and some for what wraps the message.
  expect(estimatedTokens(request)).toBeGreaterThanOrEqual(1_100)
  expect(estimatedTokens(request)).toBeLessThan(1_150)
})

test('a place is asked for until shortly after the deadline, and for a quarter of an hour at first', async () => {
  expect((await asking({ kind: 'admitted' }, 60_000)).entrant).toMatchObject({ timeLeftMs: 60_000, leaseMs: 120_000 })
  expect((await asking({ kind: 'admitted' }, 86_400_000)).entrant).toMatchObject({ leaseMs: 900_000 })
})

test('the place of what may last longer is held for so long once it is accepted', async () => {
  const hold = vi.fn(async (_account: string, _id: string, _leaseMs: number) => {})
  const accepted = { ...identity, id: newCompletionId() }

  await holdPlace({ admission: { hold } }, { ...accepted, deadlineAt: Date.now() + 600_000 })
  expect(hold).not.toHaveBeenCalled()
  await holdPlace({ admission: { hold } }, { ...accepted, deadlineAt: Date.now() + 3_600_000 })

  expect(hold).toHaveBeenCalledTimes(1)
  expect(hold.mock.calls[0]![2]).toBeGreaterThan(3_600_000)
})

test.each([
  ['concurrent', 'your account may have 7 completions waiting or running at once'],
  ['queued', 'your account may have 7 completions waiting for a worker at once'],
  ['requestsPerMinute', 'your account may make 7 requests per minute'],
  ['tokensPerMinute', 'your account may use 7 tokens per minute'],
] as const)('who meets the bound %s is told what it is and how long to wait', async (name, words) => {
  const standing = { requests: { limit: 7, remaining: 0, resetMs: 60_000 } }
  const bound = { scope: 'account', name, limit: 7 } as const

  const { refusal, onStanding } = await asking({ kind: 'limited', bound, standing, retryAfterMs: 8_400 })

  expect(refusal).toMatchObject({ code: 'rate_limit_exceeded', retryAfterMs: 8_400 })
  expect(refusal?.message).toBe(`Rate limit reached: ${words}. Please try again in 9 s.`)
  expect(refusal?.extra).toEqual({ limit: { scope: 'account', name: snakeCase(name), value: 7 } })
  expect(onStanding).toHaveBeenCalledWith(standing)
})

test('who comes too late for its deadline is told how long it would wait', async () => {
  const { refusal } = await asking({ kind: 'too_late', waitMs: 90_500, retryAfterMs: 31_000 })

  expect(refusal).toMatchObject({
    code: 'overloaded',
    retryAfterMs: 31_000,
    extra: { estimated_wait_seconds: 91 },
  })
})

const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
