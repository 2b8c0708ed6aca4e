import { expect, test } from 'vitest'
import { readError, readStreamedError } from './read-error.ts'

const secret = 'Incorrect API key provided: sk-secret of org-weir'

test.each([401, 402, 403, 404, 429, 500])('a %d about our account says nothing of it to the client', (status) => {
  const error = readError(status, { error: { message: secret, type: 'auth_error', code: 'invalid_api_key' } })

  expect(error).toMatchObject({ code: 'backend_error', message: "The model's backend failed. Please try again." })
  // Of the vendor's words the log gets the names only: sentences may quote a key or the prompt.
  expect((error.cause as Error).message).toBe(`HTTP ${status} auth_error invalid_api_key`)
})

test.each<[number, unknown, string]>([
  [400, { error: { message: 'Your credit balance is too low to access the API' } }, 'backend_error'],
  [429, { error: { type: 'insufficient_quota', message: 'You exceeded your current quota' } }, 'backend_error'],
  [400, { error: { code: 'context_length_exceeded', message: 'too long' } }, 'context_length_exceeded'],
  [400, { object: 'error', message: "This model's maximum context length is 4096 tokens" }, 'context_length_exceeded'],
  [400, { error: { type: 'exceed_context_size_error' } }, 'context_length_exceeded'],
  [400, { error: { message: 'logit_bias: see http://internal-host/docs' } }, 'invalid_request'],
  [422, { detail: [{ loc: ['body', 'n'], msg: 'too many' }] }, 'invalid_request'],
  [404, { error: { message: 'image not found' } }, 'invalid_request'],
  [404, { error: { code: 'model_not_found', message: 'The model does not exist' } }, 'backend_error'],
  [404, { error: { code: 'DeploymentNotFound' } }, 'backend_error'],
  [404, { detail: 'Not Found' }, 'backend_error'],
  [404, '404 page not found', 'backend_error'],
  [429, 'slow down', 'backend_overloaded'],
  [503, undefined, 'backend_overloaded'],
  [529, {}, 'backend_overloaded'],
  [500, '<html>', 'backend_error'],
  [302, '', 'backend_error'],
])('a %d that says %j is our %s, in our words', (status, body, code) => {
  const error = readError(status, body)
  expect(error.code).toBe(code)
  expect(error.message).toMatch(/^(The model's backend|This request)/)
})

test.each<[number, unknown, boolean]>([
  [401, '', false],
  [402, { error: { message: 'Payment required' } }, false],
  [403, { error: { message: 'No access' } }, false],
  [429, { error: { type: 'insufficient_quota' } }, false],
  [429, '', true],
  [404, '', true],
  [500, '', true],
])('whether a backend that says %d, and %j, is worth asking again: %s', (status, body, retryable) => {
  expect(readError(status, body).retryable).toBe(retryable)
})

test('an overloaded backend is asked again when it says, or in a moment', () => {
  expect(readError(429, '').retryAfterMs).toBe(5_000)
  expect(readError(429, '', 7_000).retryAfterMs).toBe(7_000)
})

test.each<[unknown, string]>([
  [{ code: 429, message: 'Rate limited' }, 'backend_overloaded'],
  [{ code: '503' }, 'backend_overloaded'],
  [{ type: 'overloaded_error' }, 'backend_overloaded'],
  [{ message: 'the request exceeds the available context size' }, 'context_length_exceeded'],
  [{ code: 400, message: 'no' }, 'invalid_request'],
  [{ message: secret, code: 400 }, 'backend_error'],
  ['it broke', 'backend_error'],
])('the error %j within a stream is our %s', (error, code) => {
  expect(readStreamedError(error).code).toBe(code)
})
