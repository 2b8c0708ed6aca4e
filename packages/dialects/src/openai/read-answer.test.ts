import { expect, test } from 'vitest'
import { readAnswer } from './read-answer.ts'

const look = { type: 'function', function: { name: 'look', arguments: '{}' } }
const answer = (...choices: object[]) => readAnswer({ choices }).choices
const calling = (...tool_calls: object[]) => ({ message: { content: null, tool_calls }, finish_reason: 'tool_calls' })

test.each([
  ['the same id', { ...look, id: 'a' }],
  ['no id', look],
  ['the same index', { ...look, id: 'a', index: 0 }],
])('calls of a whole message with %s are calls of their own', (_, call) => {
  const [choice] = answer(calling(call, call))
  expect(choice?.parts).toMatchObject([
    { type: 'tool_call', arguments: '{}' },
    { type: 'tool_call', arguments: '{}' },
  ])
})

test('choices without an index are counted', () => {
  const choice = { message: { content: 'Yes.' }, finish_reason: 'stop' }
  expect(answer(choice, choice).map(({ index }) => index)).toEqual([0, 1])
})

test.each(['error', null, undefined, '', 7])('a choice that ends by %j broke off: it is no answer', (finish_reason) => {
  const whole = { message: { content: 'Yes.' }, finish_reason: 'stop' }
  expect(answer({ message: { content: 'Ye' }, finish_reason })).toEqual([])
  expect(answer(whole, { message: { content: 'Ye' }, finish_reason })).toEqual([])
})

test.each([undefined, null, 'text', [], { choices: 7 }, { choices: [null, 7, {}] }])('%j has no answer', (body) => {
  expect(readAnswer(body)).toEqual({ choices: [], usage: undefined })
})
