import { expect, test } from 'vitest'
import { anthropic, openai } from '@weir/dialects'
import type { Answer } from './answer.ts'
import { createEventAnswer } from './event-answer.ts'
import type { Protocol } from './protocol.ts'
import { recording } from './testing/recording.ts'

const recordings: [name: string, protocol: Protocol, choices: number][] = [
  ['openai-tools', openai, 1],
  ['openai-choices', openai, 2],
  ['vllm-reasoning', openai, 1],
  ['anthropic-thinking', anthropic, 1],
]

function read(protocol: Protocol, choices: number, ...pieces: Uint8Array[]) {
  const answer = createEventAnswer(protocol, { choices, maxOutputTokens: 100 })
  const chunks = pieces.flatMap((piece) => answer.read(piece))
  return { chunks: [...chunks, ...answer.readEnd()], ...stateOf(answer) }
}

const stateOf = ({ usage, failure, finished, ended }: Answer) => ({ usage, failure, finished, ended })

test.each(recordings)('%s reads the same wherever it is cut in two', (name, protocol, choices) => {
  const bytes = recording(name)
  const whole = read(protocol, choices, bytes)
  expect(whole).toMatchObject({ failure: undefined, finished: true, ended: true, usage: { source: 'reported' } })

  for (let at = 0; at <= bytes.length; at += 1) {
    expect(read(protocol, choices, bytes.subarray(0, at), bytes.subarray(at))).toEqual(whole)
  }
})

test.each(recordings)(
  '%s reads the same byte by byte, with any end of line and without its last blank line',
  (name, protocol, choices) => {
    const text = recording(name).toString()
    const whole = read(protocol, choices, Buffer.from(text))

    for (const written of [
      text,
      text.replaceAll('\n', '\r\n'),
      text.replaceAll('\n', '\r'),
      text.trimEnd(),
      `\u{feff}${text}`,
    ]) {
      const bytes = [...Buffer.from(written)].map((byte) => Buffer.of(byte))
      expect(read(protocol, choices, ...bytes)).toEqual(whole)
    }
  },
)

test.each(recordings)('%s is whole at no place before its finish', (name, protocol, choices) => {
  const bytes = recording(name)
  const text = bytes.toString()
  const finish = text.lastIndexOf('"finish_reason":"') + 1 || text.indexOf('"stop_reason":"tool_use"')
  const finishEnds = Buffer.byteLength(text.slice(0, text.indexOf('\n', finish)))

  for (let at = 0; at < finishEnds; at += 1) {
    expect(read(protocol, choices, bytes.subarray(0, at)).finished).toBe(false)
  }
  expect(read(protocol, choices, bytes.subarray(0, finishEnds)).finished).toBe(true)
})

test('what an answer has used so far is told at once, and is neither its usage nor its beginning', () => {
  const answer = createEventAnswer(anthropic, { choices: 1, maxOutputTokens: 100 })
  const started = { type: 'message_start', message: { usage: { input_tokens: 7, output_tokens: 1 } } }

  const chunks = answer.read(Buffer.from(`data: ${JSON.stringify(started)}\n\n`))

  expect(chunks).toMatchObject([{ type: 'usage', soFar: true, usage: { inputTokens: 7, outputTokens: 0 } }])
  expect(answer).toMatchObject({ begun: false, usage: undefined })
})

test('one choice in place of two is an answer if its server says that this is all', () => {
  const bytes = recording('vllm-reasoning')

  expect(read(openai, 2, bytes).finished).toBe(true)
  expect(read(openai, 2, bytes.subarray(0, bytes.indexOf('data: [DONE]'))).finished).toBe(false)
})

test('an answer that goes on and on is cut off when it is many times as long as was asked for', () => {
  const answer = createEventAnswer(openai, { choices: 1, maxOutputTokens: 1 })
  const event = Buffer.from(`data: {"choices":[{"index":0,"delta":{"content":"${'a'.repeat(1024 * 1024)}"}}]}\n\n`)

  for (let i = 0; i < 4; i += 1) answer.read(event)
  expect(answer.failure).toBe(undefined)
  answer.read(event)

  expect(answer.failure).toMatchObject({ code: 'backend_error' })
})
