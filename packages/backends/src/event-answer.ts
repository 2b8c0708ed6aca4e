import { createParser } from 'eventsource-parser'
import type { Chunk, ServiceError, Usage } from '@weir/contracts'
import { backendError } from '@weir/dialects'
import { vendorFailure } from './backend-errors.ts'
import { type Answer, type Asked, longestAnswerOf, tooLong } from './answer.ts'
import type { Protocol } from './protocol.ts'

const LARGEST_EVENT_CHARACTERS = 4 * 1024 * 1024

/** Reads the event stream of one answer, from bytes in any slices to chunks. */
export function createEventAnswer(protocol: Protocol, asked: Asked): Answer {
  // One decoder for the whole answer: a character may be split between two reads.
  const decoder = new TextDecoder()
  const reader = protocol.createEventReader(asked)
  let bytesLeft = longestAnswerOf(asked)
  let chunks: Chunk[] = []
  let isCutOff = false
  const answer = {
    events: 0,
    begun: false,
    failure: undefined as ServiceError | undefined,
    usage: undefined as Usage | undefined,
    get finished() {
      return reader.finished
    },
    get ended() {
      return reader.ended
    },
    read(bytes: Uint8Array): Chunk[] {
      bytesLeft -= bytes.length
      if (bytesLeft < 0) fail(tooLong())
      return fed(decoder.decode(bytes, { stream: true }))
    },
    readEnd: () => fed(`${decoder.decode()}\n\n`),
  }

  function fed(text: string): Chunk[] {
    chunks = []
    if (!answer.failure && !isCutOff) parser.feed(text)
    return chunks
  }

  /** A whole answer stays one, whatever its server goes on to say. */
  function fail(error: ServiceError): void {
    if (!answer.finished) answer.failure ??= error
  }

  function readEvent(event: { event?: string | undefined; data: string }): void {
    if (answer.failure || reader.ended) return
    answer.events += 1
    for (const chunk of reader.read(event)) take(chunk)
    if (reader.failure) fail(vendorFailure(reader.failure, 'in the stream', event.data))
  }

  function take(chunk: Chunk): void {
    if (chunk.type === 'usage') {
      if (chunk.soFar) chunks.push(chunk)
      else answer.usage = chunk.usage
    } else if (!isEmpty(chunk)) {
      answer.begun = true
      chunks.push(chunk)
    }
  }

  const parser = createParser({
    maxBufferSize: LARGEST_EVENT_CHARACTERS,
    onEvent: readEvent,
    onError: (error) => {
      // Odd lines are ignored, as browsers do; an event that never ends would fill the memory.
      if (error.type !== 'max-buffer-size-exceeded') return
      isCutOff = true
      fail(backendError.failed(error))
    },
  })
  return answer
}

/** The role, or an opening with nothing in it yet: not a token, so the wait for the first one goes on. */
const isEmpty = (chunk: Chunk): boolean => 'text' in chunk && chunk.text === '' && !('logprobs' in chunk)
