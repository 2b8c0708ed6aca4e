import { expect, test } from 'vitest'
import { readAnswer } from './checked-answer.ts'
import { answerText, plainAnswer, streamedAnswer } from './mock-answer.ts'

const text = answerText(3)
const { opening, token, ending } = streamedAnswer(3)
const stream = Buffer.concat([opening, token, token, token, ending])

test('a whole stream is right however its bytes are cut, and its first content is seen once', () => {
  for (const size of [1, 7, stream.length]) {
    const reader = readAnswer({ mode: 'stream', connections: 1, text })

    const firsts = piecesOf(stream, size).filter((piece) => reader.take(piece))

    expect({ size, firsts: firsts.length, complete: reader.complete(200) }).toEqual({ size, firsts: 1, complete: true })
  }
})

test('tokens that were gathered into fewer frames are the same answer', () => {
  const gathered = token.toString().replace(answerText(1), text)

  expect(isComplete('stream', [opening, Buffer.from(gathered), ending])).toBe(true)
})

test.each([
  { what: 'a token lost', parts: [opening, token, token, ending] },
  { what: 'a token doubled', parts: [opening, token, token, token, token, ending] },
  { what: 'no finish reason', parts: [opening, token, token, token, Buffer.from('data: [DONE]\n\n')] },
  { what: 'no [DONE]', parts: [stream.subarray(0, -'data: [DONE]\n\n'.length)] },
])('a stream with $what is an error', ({ parts }) => {
  expect(isComplete('stream', parts)).toBe(false)
})

test('a plain answer must hold the whole text, and a 200', () => {
  expect(isComplete('plain', [plainAnswer(3)])).toBe(true)
  expect(isComplete('plain', [plainAnswer(2)])).toBe(false)
  expect(isComplete('plain', [plainAnswer(3)], 500)).toBe(false)
})

function isComplete(mode: 'plain' | 'stream', parts: Buffer[], status = 200): boolean {
  const reader = readAnswer({ mode, connections: 1, text })
  for (const part of parts) reader.take(part)
  return reader.complete(status)
}

const piecesOf = (bytes: Buffer, size: number): Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size))
