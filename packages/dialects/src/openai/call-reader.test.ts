import { expect, test } from 'vitest'
import { readAnswer } from './read-answer.ts'
import { delta, finish, finished, readAll } from './testing/streams.ts'

const calls = (...tool_calls: object[]) => delta({ tool_calls })
const call = (call: number, id: unknown, name: string, kind = 'function') => ({
  type: 'tool_call',
  choice: 0,
  call,
  id,
  kind,
  name,
})
const args = (call: number, text: string) => ({ type: 'arguments', choice: 0, call, text })
const minted = expect.stringMatching(/^call_[0-9a-f]{32}$/)

test.each<[string, object[], unknown[]]>([
  [
    'in pieces, side by side',
    [
      { index: 0, id: 'a', type: 'function', function: { name: 'look', arguments: '' } },
      { index: 1, id: 'b', type: 'function', function: { name: 'see', arguments: '' } },
      { index: 1, function: { arguments: '{"x"' } },
      { index: 0, function: { arguments: '{}' } },
      { index: 1, function: { arguments: ':1}' } },
    ],
    [call(0, 'a', 'look'), call(1, 'b', 'see'), args(1, '{"x"'), args(0, '{}'), args(1, ':1}')],
  ],
  [
    'at once',
    [{ index: 0, id: 'a', type: 'function', function: { name: 'look', arguments: '{}' } }],
    [call(0, 'a', 'look'), args(0, '{}')],
  ],
  [
    'at once without an index',
    [
      { id: 'a', function: { name: 'look', arguments: '{}' } },
      { id: 'b', function: { name: 'look', arguments: '{"x":1}' } },
      { function: { name: 'see', arguments: '{}' } },
    ],
    [
      call(0, 'a', 'look'),
      args(0, '{}'),
      call(1, 'b', 'look'),
      args(1, '{"x":1}'),
      call(2, minted, 'see'),
      args(2, '{}'),
    ],
  ],
  [
    'all under one index',
    [
      { index: 0, id: 'a', function: { name: 'look', arguments: '{}' } },
      { index: 0, id: 'b', function: { name: 'look', arguments: '[]' } },
    ],
    [call(0, 'a', 'look'), args(0, '{}'), call(1, 'b', 'look'), args(1, '[]')],
  ],
  [
    'with a name that is repeated',
    [
      { index: 0, id: 'a', function: { name: 'look', arguments: '{' } },
      { index: 0, id: 'a', function: { name: 'look', arguments: '}' } },
    ],
    [call(0, 'a', 'look'), args(0, '{'), args(0, '}')],
  ],
  [
    'with an id for each piece',
    [
      { index: 0, id: 'a', function: { name: 'look', arguments: '{' } },
      { index: 0, id: 'b', function: { arguments: '}' } },
    ],
    [call(0, 'a', 'look'), args(0, '{'), args(0, '}')],
  ],
  [
    'without an id',
    [{ index: 0, function: { name: 'look', arguments: '{}' } }],
    [call(0, minted, 'look'), args(0, '{}')],
  ],
  [
    'with a name that comes late',
    [
      { index: 0, id: 'a', function: { arguments: '{' } },
      { index: 0, function: { name: 'look', arguments: '}' } },
    ],
    [call(0, 'a', 'look'), args(0, '{'), args(0, '}')],
  ],
  [
    'with an id that comes late',
    [
      { index: 0, function: { arguments: '{' } },
      { index: 0, id: 'a', function: { name: 'look', arguments: '}' } },
    ],
    [call(0, 'a', 'look'), args(0, '{'), args(0, '}')],
  ],
  [
    'with arguments as JSON',
    [{ index: 0, id: 'a', function: { name: 'look', arguments: { x: 1 } } }],
    [call(0, 'a', 'look'), args(0, '{"x":1}')],
  ],
  [
    'without arguments',
    [{ index: 0, id: 'a', function: { name: 'look', arguments: '' } }],
    [call(0, 'a', 'look'), args(0, '{}')],
  ],
  [
    'of a custom tool',
    [
      { index: 0, id: 'a', type: 'custom', custom: { name: 'sql', input: '' } },
      { index: 0, custom: { input: 'select 1' } },
    ],
    [call(0, 'a', 'sql', 'custom'), args(0, 'select 1')],
  ],
])('a tool call that comes %s is understood', (_, pieces, expected) => {
  const { chunks } = readAll([...pieces.map((piece) => calls(piece)), finish('tool_calls')])
  expect(chunks).toEqual([...expected, finished('tool_calls')])
})

test('several tool calls in one event are several', () => {
  const whole = (index: number) => ({ index, id: `${index}`, function: { name: 'look', arguments: '{}' } })
  expect(readAll([calls(whole(0), whole(1))]).chunks).toEqual([
    call(0, '0', 'look'),
    args(0, '{}'),
    call(1, '1', 'look'),
    args(1, '{}'),
  ])
})

test('a call in the words of before there were tools is one', () => {
  const events = [
    delta({ function_call: { name: 'look', arguments: '{' } }),
    delta({ function_call: { arguments: '}' } }),
    finish('function_call'),
  ]
  expect(readAll(events).chunks).toEqual([call(0, minted, 'look'), args(0, '{'), args(0, '}'), finished('tool_calls')])
})

test('an answer that has called tools waits for them, even where its server says stop', () => {
  const { chunks } = readAll([
    calls({ index: 0, id: 'a', function: { name: 'look', arguments: '{}' } }),
    finish('stop'),
  ])
  expect(chunks.at(-1)).toEqual(finished('tool_calls'))
})

test('an answer of more tool calls than a client takes has failed', () => {
  const many = (length: number) =>
    Array.from({ length }, (_, index) => ({ index, id: `c${index}`, function: { name: 'look', arguments: '{}' } }))
  const streamed = (length: number) => readAll([...many(length).map((each) => calls(each)), finish('tool_calls')])
  expect(streamed(128)).toMatchObject({ finished: true, failure: undefined })
  expect(streamed(129)).toMatchObject({ finished: false, failure: { code: 'backend_error' } })

  const whole = (length: number) =>
    readAnswer({ choices: [{ index: 0, message: { tool_calls: many(length) }, finish_reason: 'tool_calls' }] }).choices
  expect(whole(128)[0]!.parts.length).toBe(128)
  expect(whole(129)).toEqual([])
})
