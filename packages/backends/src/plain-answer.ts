import { type Chunk, chunksOf, type ServiceError, type Usage } from '@weir/contracts'
import { backendError } from '@weir/dialects'
import { type Answer, type Asked, longestAnswerOf, tooLong } from './answer.ts'
import type { Protocol } from './protocol.ts'
import { jsonOf, refusalWithin } from './refusal.ts'

/** Reads an answer that comes in one JSON object, as from servers and proxies that do not stream whatever they are asked. */
export function createPlainAnswer(protocol: Protocol, asked: Asked): Answer {
  const parts: Uint8Array[] = []
  let bytesLeft = longestAnswerOf(asked)
  const answer = {
    events: 0,
    begun: false,
    finished: false,
    ended: false,
    failure: undefined as ServiceError | undefined,
    usage: undefined as Usage | undefined,
    read(bytes: Uint8Array): Chunk[] {
      bytesLeft -= bytes.length
      if (bytesLeft < 0) answer.failure = tooLong()
      else parts.push(bytes)
      return []
    },
    readEnd(): Chunk[] {
      const result = readWhole(Buffer.concat(parts).toString(), protocol)
      if ('failure' in result) {
        answer.failure = result.failure
        return []
      }
      answer.usage = result.usage
      const choices = result.choices.filter(({ index }) => index < asked.choices)
      answer.finished = choices.length > 0
      return chunksOf(choices)
    },
  }
  return answer
}

function readWhole(text: string, protocol: Protocol): ReturnType<Protocol['readAnswer']> | { failure: ServiceError } {
  const body = jsonOf(text)
  if (typeof body !== 'object' || body === null)
    return { failure: backendError.failed(new Error('the answer is not whole JSON')) }
  if ('error' in body && body.error) return { failure: refusalWithin(body, text, protocol) }
  try {
    return protocol.readAnswer(body)
  } catch (error) {
    return { failure: backendError.failed(error) }
  }
}
