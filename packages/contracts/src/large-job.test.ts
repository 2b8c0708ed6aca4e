import { expect, test } from 'vitest'
import { type CompletionJob, decodeJob, encodeJob } from './completion.ts'
import { newAccountId, newCompletionId, newKeyId } from './ids.ts'
import { lightened, madeWhole, takesMoreThan } from './large-job.ts'

const job: CompletionJob = {
  id: newCompletionId(),
  accountId: newAccountId(),
  keyId: newKeyId(),
  request: {
    model: 'fast',
    messages: [{ role: 'user', content: 'Why?' }],
    maxOutputTokens: 10,
    tools: [{ kind: 'function', name: 'look', parameters: { type: 'object' } }],
    toolChoice: { type: 'auto' },
    stop: ['.'],
    stream: true,
    extra: { top_a: 1 },
  },
  price: { input: 1n, cachedInput: 1n, output: 1n },
  quote: 100n,
  deadlineAt: 1,
  ownDeadline: false,
  kept: false,
  large: true,
  attended: true,
  includeUsage: false,
}

test('a large job is light in Redis, and whole again for its worker', () => {
  const light = decodeJob(encodeJob(lightened(job)))

  expect(light.request).toEqual({
    model: 'fast',
    messages: [],
    maxOutputTokens: 10,
    toolChoice: { type: 'auto' },
    stream: true,
  })
  expect(madeWhole(light, job)).toEqual(job)
})

test('what was decided after a large job was kept stands', () => {
  const light = lightened({ ...job, quote: 7n, clampedTo: 2, request: { ...job.request, maxOutputTokens: 2 } })

  expect(madeWhole(light, job)).toMatchObject({
    quote: 7n,
    clampedTo: 2,
    request: { ...job.request, maxOutputTokens: 2 },
  })
})

test('a job that is not large is left as it is', () => {
  const small = { ...job, large: undefined }
  expect(lightened(small)).toBe(small)
})

test.each([
  ['text', 'x'.repeat(1_001)],
  ['text that takes more bytes than letters', '水'.repeat(334)],
  ['what is deep inside', { a: [{ b: ['x'.repeat(1_000)] }] }],
  ['many small values', Array.from({ length: 200 }, () => 1)],
  ['long names', { ['x'.repeat(1_000)]: 1 }],
  ['deep nesting', JSON.parse('['.repeat(200_000) + ']'.repeat(200_000))],
])('%s can take more than a thousand bytes', (_, value) => {
  expect(takesMoreThan(value, 1_000)).toBe(true)
})

test.each([['x'.repeat(900)], [{ a: [1, null, undefined, true, 'x'.repeat(800)] }], ['水'.repeat(300)]])(
  'what takes less does not',
  (value) => {
    expect(takesMoreThan(value, 1_000)).toBe(false)
  },
)
