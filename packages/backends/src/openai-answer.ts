import { createParser } from 'eventsource-parser'
import type { Chunk, ServiceError, Usage } from '@weir/contracts'
import { failed } from './backend-errors.ts'
import { openAiEventOf } from './openai-chunk.ts'
import { streamedErrorOf } from './openai-refusal.ts'

const LARGEST_EVENT_CHARACTERS = 4 * 1024 * 1024

/** Reads the event stream of one answer, from bytes in any slices to chunks. */
export type OpenAiAnswer = {
  /** The chunks these bytes completed. */
  read(bytes: Uint8Array): Chunk[]
  /** Events read so far: whether the backend says anything at all, comments aside. */
  readonly events: number
  /** A first token has come, be it of reasoning. */
  readonly begun: boolean
  /** A finish reason has come: the text is whole. */
  readonly finished: boolean
  /** The stream has said that it is over. */
  readonly ended: boolean
  /** Why the answer failed; nothing follows. */
  readonly failure: ServiceError | undefined
  /** The last usage told. Some servers count up with every chunk. */
  readonly usage: Usage | undefined
}

export function createOpenAiAnswer(): OpenAiAnswer {
  // One decoder for the whole answer: a character may be split between two reads.
  const decoder = new TextDecoder()
  let chunks: Chunk[] = []
  const answer = {
    events: 0,
    begun: false,
    finished: false,
    ended: false,
    failure: undefined as ServiceError | undefined,
    usage: undefined as Usage | undefined,
    read(bytes: Uint8Array): Chunk[] {
      chunks = []
      parser.feed(decoder.decode(bytes, { stream: true }))
      return chunks
    },
  }

  function readEvent(data: string): void {
    if (answer.failure || answer.ended) return
    answer.events += 1
    if (data === '[DONE]') {
      answer.ended = true
      return
    }
    const event = openAiEventOf(data)
    if (!event) answer.failure = failed(new Error(`not an event of the protocol: ${data.length} characters`))
    else if (event.kind === 'error') answer.failure = streamedErrorOf(event.error)
    else {
      answer.begun ||= event.isToken
      answer.usage = event.usage ?? answer.usage
      // Whatever a server adds after the finish is no part of the answer.
      if (answer.finished) return
      if (event.text) chunks.push({ type: 'text', choice: 0, text: event.text })
      if (!event.finish) return
      answer.finished = true
      chunks.push({ type: 'finish', choice: 0, reason: event.finish })
    }
  }

  const parser = createParser({
    maxBufferSize: LARGEST_EVENT_CHARACTERS,
    onEvent: ({ data }) => readEvent(data),
    onError: (error) => {
      // Odd lines are ignored, as browsers do; an event that never ends would fill the memory.
      if (error.type === 'max-buffer-size-exceeded') answer.failure ??= failed(error)
    },
  })
  return answer
}
