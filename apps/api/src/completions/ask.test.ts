import { fitToModel } from '@weir/backends'
import type { Model } from '@weir/contracts'
import { openai } from '@weir/dialects'
import { expect, test } from 'vitest'
import { type AskLimits, askOf } from './ask.ts'

const model: Model = {
  id: 'fast',
  aliases: [],
  targets: [{ backend: 'gpu', model: 'small' }],
  price: { input: 1n, cachedInput: 1n, output: 2n },
  maxOutputTokens: 100,
  contextWindow: 10_000,
}

const limits: AskLimits = {
  timeouts: { plainMs: 600_000, streamMs: 3_600_000, backgroundMs: 7_200_000 },
  waitMs: 280_000,
  keep: { backgroundMs: 1_000, storedMs: 3_000, idempotencyMs: 2_000 },
  webhookAddresses: 'public',
}

/** What a request asks for, said in a body and headers. */
const asked = (more: object = {}, headers: Record<string, string> = {}) => {
  const body = openai.ChatCompletionRequest.parse({ messages: [{ role: 'user', content: 'Why?' }], ...more })
  const request = fitToModel(openai.toCanonical(body), model, openai.dialect.paramOf)
  return askOf(limits, headers, { request, model, wish: openai.wishOf(body), body })
}

test('a plain call is waited for, and nothing of it is kept', () => {
  expect(asked()).toMatchObject({
    background: false,
    attended: true,
    keepMs: undefined,
    timeoutMs: 600_000,
    waitMs: 280_000,
    prefersAccepted: false,
    includeUsage: false,
    metadata: undefined,
    idempotency: undefined,
  })
})

test('a stream has more time, and a background completion most', () => {
  expect(asked({ stream: true }).timeoutMs).toBe(3_600_000)
  expect(asked({ background: true }).timeoutMs).toBe(7_200_000)
  expect(asked({ background: true, stream: true })).toMatchObject({ background: true, timeoutMs: 7_200_000 })
})

test('what needs nobody to wait is not cancelled for want of somebody who does', () => {
  expect(asked({ background: true }).attended).toBe(false)
  expect(asked({}, { 'idempotency-key': 'mine' }).attended).toBe(false)
  expect(asked({ store: true }).attended).toBe(true)
})

test('a result is kept for as long as the longest of its reasons asks', () => {
  expect(asked({ background: true }).keepMs).toBe(1_000)
  expect(asked({}, { prefer: 'wait=5' }).keepMs).toBe(1_000)
  expect(asked({}, { 'idempotency-key': 'mine' }).keepMs).toBe(2_000)
  expect(asked({ background: true }, { 'idempotency-key': 'mine' }).keepMs).toBe(2_000)
  expect(asked({ store: true, background: true }, { 'idempotency-key': 'mine' }).keepMs).toBe(3_000)
  expect(asked({ store: false }).keepMs).toBeUndefined()
})

test('a preference to wait shortens the wait and never lengthens it', () => {
  expect(asked({}, { prefer: 'wait=5' })).toMatchObject({ waitMs: 5_000, prefersAccepted: true, attended: true })
  expect(asked({}, { prefer: 'wait=3600' })).toMatchObject({ waitMs: 280_000, prefersAccepted: true })
})

test('whoever prefers not to wait asks in the background', () => {
  expect(asked({}, { prefer: 'respond-async' })).toMatchObject({
    background: true,
    attended: false,
    keepMs: 1_000,
    timeoutMs: 7_200_000,
  })
})

test('a stream is answered as it comes, whatever is preferred', () => {
  for (const prefer of ['wait=5', 'respond-async'])
    expect(asked({ stream: true }, { prefer })).toMatchObject({ background: false, prefersAccepted: false })
})

test.each([
  ['5', 5_000],
  ['0.5', 500],
  ['7200', 7_200_000],
])('a timeout of %s seconds is heard', (seconds, timeoutMs) => {
  expect(asked({}, { 'x-weir-timeout': seconds }).timeoutMs).toBe(timeoutMs)
})

test.each(['', ' ', '0', '-1', '7200.1', 'soon', 'Infinity', 'NaN'])(
  'a timeout of %j seconds is refused',
  (seconds) => {
    expect(() => asked({}, { 'x-weir-timeout': seconds })).toThrow(
      expect.objectContaining({ code: 'invalid_request', param: 'x-weir-timeout' }),
    )
  },
)

test('a client that tells when it will stop waiting is not worked for any longer', () => {
  const headers = { 'x-stainless-timeout': '30' }

  expect(asked({}, headers).timeoutMs).toBe(30_000)
  expect(asked({}, { 'x-stainless-timeout': '9999' }).timeoutMs).toBe(600_000)
  expect(asked({}, { 'x-stainless-timeout': 'soon' }).timeoutMs).toBe(600_000)
})

test('what goes on without its client is not bound by how long that would wait', () => {
  const headers = { 'x-stainless-timeout': '30' }

  expect(asked({ stream: true }, headers).timeoutMs).toBe(3_600_000)
  expect(asked({ background: true }, headers).timeoutMs).toBe(7_200_000)
  expect(asked({}, { ...headers, 'idempotency-key': 'mine' }).timeoutMs).toBe(600_000)
  expect(asked({}, { ...headers, prefer: 'wait=5' }).timeoutMs).toBe(600_000)
})

test('an idempotency key comes with a digest of all that was asked', () => {
  const keyed = (body: object) => asked(body, { 'idempotency-key': 'mine' }).idempotency!

  expect(keyed({ temperature: 1 })).toEqual(keyed({ temperature: 1 }))
  expect(keyed({}).key).toBe('mine')
  const others = [{}, { temperature: 1 }, { stream: true }, { background: true }, { metadata: { a: 'b' } }, { seed: 1 }]
  expect(new Set(others.map((body) => keyed(body).digest.toString('hex'))).size).toBe(others.length)
})

test.each(['x', 'x'.repeat(255), '!"#$%&~', '0d3c-uuid'])('%s is a key', (key) => {
  expect(asked({}, { 'idempotency-key': key }).idempotency?.key).toBe(key)
})

test.each(['', 'x'.repeat(256), 'a b', 'a\tb', 'é', '\u007f'])('%j is no key', (key) => {
  expect(() => asked({}, { 'idempotency-key': key })).toThrow(
    expect.objectContaining({ code: 'invalid_request', param: 'Idempotency-Key' }),
  )
})

test('metadata and the wish for usage are passed on', () => {
  const body = { stream: true, metadata: { order: '7' }, stream_options: { include_usage: true } }

  expect(asked(body)).toMatchObject({ metadata: { order: '7' }, includeUsage: true })
})
