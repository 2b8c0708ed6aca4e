import { expect, test } from 'vitest'
import { requestErrorOf } from '../request-error.ts'
import { assertBounded } from './bounds.ts'
import { ChatCompletionRequest, toCanonical, unsupportedFields, withoutNulls } from './request.ts'

const hello = { messages: [{ role: 'user', content: 'Hello' }] }

function errorOf(body: unknown) {
  const parsed = ChatCompletionRequest.safeParse(withoutNulls(body))
  const { code, param, message } = requestErrorOf(parsed.error?.issues ?? [], unsupportedFields)
  return { code, param, message }
}

test.each([
  [{ ...hello, temprature: 1 }, 'unknown_parameter', 'temprature'],
  [{ ...hello, tools: [] }, 'unsupported_parameter', 'tools'],
  [{ ...hello, temperature: 3 }, 'invalid_request', 'temperature'],
  [{ ...hello, temperature: '1' }, 'invalid_request', 'temperature'],
  [{ ...hello, stop: [] }, 'invalid_request', 'stop'],
  [{ ...hello, n: 2 }, 'invalid_request', 'n'],
  [{ messages: [] }, 'invalid_request', 'messages'],
  [{}, 'invalid_request', 'messages'],
  [{ messages: [{ role: 'robot', content: 'Hello' }] }, 'invalid_request', 'messages[0].role'],
  [{ messages: [{ role: 'user', content: 7 }] }, 'invalid_request', 'messages[0].content'],
  [{ messages: [{ role: 'user', content: [{ type: 'text' }] }] }, 'invalid_request', 'messages[0].content[0].text'],
  [{ messages: [{ role: 'user', content: 'Hello', mood: 'good' }] }, 'unknown_parameter', 'messages[0].mood'],
  [{ ...hello, stream_options: { usage: true } }, 'unknown_parameter', 'stream_options.usage'],
])('%j is refused as %s at %s', (body, code, param) => {
  expect(errorOf(body)).toMatchObject({ code, param })
})

test('a body that is no object is refused without a field', () => {
  expect(errorOf([])).toMatchObject({ code: 'invalid_request', param: undefined })
})

test('null on an optional field is the same as leaving it out', () => {
  const body = ChatCompletionRequest.parse(withoutNulls({ ...hello, temperature: null, tools: null, stop: null }))
  expect(toCanonical(body)).toEqual(toCanonical(hello as ChatCompletionRequest))
})

test('the output cap goes by two names, which must agree', () => {
  const capOf = (caps: object) => toCanonical({ ...hello, ...caps } as ChatCompletionRequest).maxOutputTokens
  expect(capOf({})).toBe(undefined)
  expect(capOf({ max_tokens: 7 })).toBe(7)
  expect(capOf({ max_tokens: 7, max_completion_tokens: 7 })).toBe(7)
  expect(() => capOf({ max_tokens: 7, max_completion_tokens: 8 })).toThrow('disagree')
})

const many = (count: number, item: unknown) => Array.from({ length: count }, () => item)

test.each([
  ['messages', { messages: many(10_001, {}) }],
  ['content parts of one message', { messages: [{ content: many(10_001, {}) }] }],
  ['content parts of all messages', { messages: many(101, { content: many(100, {}) }) }],
  ['fields', Object.fromEntries(many(65, 0).map((_, i) => [`field${i}`, 0]))],
  ['fields of a message', { messages: [Object.fromEntries(many(65, 0).map((_, i) => [`field${i}`, 0]))] }],
])('too many %s are refused before a schema looks at each', (_, body) => {
  expect(() => assertBounded(body)).toThrow('more than')
})

test('what a schema can look at is left to it', () => {
  const body = { ...hello, messages: many(100, { role: 'user', content: many(100, { type: 'text', text: 'a' }) }) }
  for (const bounded of [body, undefined, null, [], 'text', { messages: {} }])
    expect(() => assertBounded(bounded)).not.toThrow()
})
