import { expect, test } from 'vitest'
import { assertBounded } from './bounds.ts'

const hello = { messages: [{ role: 'user', content: 'Hello' }] }
const many = (count: number, item: unknown) => Array.from({ length: count }, () => item)
const fields = (count: number) => Object.fromEntries(many(count, 0).map((_, i) => [`field${i}`, 0]))

function nested(depth: number, inner: unknown = {}): unknown {
  let value = inner
  for (let level = 0; level < depth; level++) value = level % 2 ? { of: value } : [value]
  return value
}

test.each([
  ['messages', { messages: many(10_001, {}) }],
  ['content parts of one message', { messages: [{ content: many(10_001, {}) }] }],
  ['content parts of all messages', { messages: many(101, { content: many(100, {}) }) }],
  ['tool calls of all messages', { messages: many(101, { tool_calls: many(100, {}) }) }],
  ['fields', fields(65)],
  ['fields of a message', { messages: [fields(65)] }],
  ['fields of a part', { messages: [{ content: [fields(65)] }] }],
  ['tools', { tools: many(1_025, {}) }],
  ['stop sequences', { stop: many(1_025, 7) }],
  ['biases', { logit_bias: fields(1_025) }],
  ['values, wherever they are', { tools: [{ function: { parameters: { enum: many(200_001, 0) } } }] }],
  ['levels', { tools: [nested(62)] }],
  ['levels than a stack has room for', JSON.parse(`{"vendor":${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}}`)],
])('too many %s are refused before a schema looks at each', (_, body) => {
  expect(() => assertBounded(body)).toThrow('more than')
})

test('what a schema can look at is left to it', () => {
  const parts = { ...hello, messages: many(100, { role: 'user', content: many(100, { type: 'text', text: 'a' }) }) }
  const deep = { tools: [nested(60)] }
  for (const bounded of [parts, deep, undefined, null, [], 'text', { messages: {} }])
    expect(() => assertBounded(bounded)).not.toThrow()
})
