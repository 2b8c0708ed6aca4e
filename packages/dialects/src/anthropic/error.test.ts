import { type ErrorCode, ServiceError } from '@weir/contracts'
import { expect, test } from 'vitest'
import { renderError, renderErrorEvent } from './error.ts'
import { readError } from './read-error.ts'

test.each([
  ['invalid_request', 'invalid_request_error'],
  ['invalid_api_key', 'authentication_error'],
  ['credit_balance_exhausted', 'billing_error'],
  ['account_frozen', 'permission_error'],
  ['model_not_found', 'not_found_error'],
  ['not_finished', 'conflict_error'],
  ['request_too_large', 'request_too_large'],
  ['unsupported_media_type', 'invalid_request_error'],
  ['rate_limit_exceeded', 'rate_limit_error'],
  ['internal', 'api_error'],
  ['backend_error', 'api_error'],
  ['backend_overloaded', 'overloaded_error'],
  ['deadline_exceeded', 'timeout_error'],
] as [ErrorCode, string][])('%s goes out as %s', (code, type) => {
  const error = new ServiceError(code, 'Sorry.')
  expect(renderError(error, 'req_1')).toEqual({
    type: 'error',
    error: { type, message: 'Sorry.', details: { error_code: code } },
    request_id: 'req_1',
  })
})

test('what we know beyond the message are details, on the wire and in a stream', () => {
  const error = new ServiceError('credit_balance_exhausted', 'Empty.', { param: 'max_tokens', extra: { balance: 1.5 } })
  const { error: rendered, request_id } = renderError(error)
  expect(rendered.details).toEqual({ error_code: 'credit_balance_exhausted', param: 'max_tokens', balance: 1.5 })
  expect(request_id).toBeNull()
  expect(renderErrorEvent(error, 'r')).toBe(`event: error\ndata: ${JSON.stringify(renderError(error, 'r'))}\n\n`)
})

const answered = (type: string, message: string) => ({ type: 'error', error: { type, message } })

test.each([
  [400, answered('invalid_request_error', 'messages: too many images'), 'invalid_request'],
  [400, answered('invalid_request_error', 'prompt is too long: 9 > 8'), 'context_length_exceeded'],
  [
    400,
    answered('invalid_request_error', 'input length and `max_tokens` exceed context limit'),
    'context_length_exceeded',
  ],
  [400, answered('invalid_request_error', 'Your credit balance is too low'), 'backend_error'],
  [401, answered('authentication_error', 'invalid x-api-key'), 'backend_error'],
  [402, answered('billing_error', 'pay'), 'backend_error'],
  [403, answered('permission_error', 'no'), 'backend_error'],
  [404, answered('not_found_error', 'model: claude-9'), 'backend_error'],
  [413, answered('request_too_large', 'too large'), 'invalid_request'],
  [422, 'odd words', 'invalid_request'],
  [429, answered('rate_limit_error', "your organization's limit"), 'backend_overloaded'],
  [500, answered('api_error', 'Internal server error'), 'backend_error'],
  [503, null, 'backend_overloaded'],
  [529, answered('overloaded_error', 'Overloaded'), 'backend_overloaded'],
  [504, undefined, 'backend_error'],
] as [number, unknown, ErrorCode][])("a backend's %i %j is %s, in our words", (status, body, code) => {
  const error = readError(status, body)
  expect(error.code).toBe(code)
  const said = (body as { error?: { message: string } } | null)?.error?.message
  expect(error.message).not.toContain(said ?? 'odd words')
  expect(String(error.cause)).not.toContain(said ?? 'odd words')
  if (code === 'backend_overloaded') expect(error.retryAfterMs).toBeGreaterThan(0)
})

test.each([
  [400, answered('invalid_request_error', 'Your credit balance is too low'), false],
  [401, answered('authentication_error', 'invalid x-api-key'), false],
  [402, answered('billing_error', 'pay'), false],
  [403, answered('permission_error', 'no'), false],
  [404, answered('not_found_error', 'model: claude-9'), true],
  [500, answered('api_error', 'Internal server error'), true],
  [529, answered('overloaded_error', 'Overloaded'), true],
] as [number, unknown, boolean][])(
  'whether a backend that says %i, and %j, is worth asking again: %s',
  (status, body, retryable) => {
    expect(readError(status, body).retryable).toBe(retryable)
  },
)
