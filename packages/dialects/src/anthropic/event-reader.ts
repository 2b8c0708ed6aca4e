import { type Chunk, type FinishReason, type ServiceError, promptTokens } from '@weir/contracts'
import { notTheProtocol, tooManyCalls } from '../backend-error.ts'
import { type Fields, fieldsOf, parsedJson } from '../fields.ts'
import { createBlockReader } from './block-reader.ts'
import { streamedError } from './read-error.ts'
import { mergedUsage, readUsage } from './usage.ts'

/** Reads one stream, event by event, into canonical chunks. Never throws: what cannot be read is its `failure`. */
export type EventReader = {
  read(event: { event?: string | undefined; data: string }): Chunk[]
  /** A stop reason has come: the answer is whole. */
  readonly finished: boolean
  /** The stream has said that it is over. */
  readonly ended: boolean
  /** Why the answer failed; nothing follows. */
  readonly failure: ServiceError | undefined
}

/**
 * What is missing or of another type counts as absent, and events, blocks and deltas that we do not know are skipped, for
 * the API adds some from time to time.
 */
export function createEventReader(): EventReader {
  const blocks = createBlockReader()
  const state = { finished: false, ended: false, failure: undefined as ServiceError | undefined }
  let usage: Fields | undefined

  function finish({ delta, usage: told }: Fields): Chunk[] {
    const chunks: Chunk[] = []
    const { stop_reason: reason, stop_sequence: sequence } = fieldsOf(delta) ?? {}
    if (typeof reason === 'string' && !state.finished) {
      state.finished = true
      chunks.push(...blocks.closeAll(), finishOf(reason, sequence))
    }
    const later = fieldsOf(told)
    if (!later) return chunks
    usage = mergedUsage(usage, later)
    const read = readUsage(usage)
    return read ? [...chunks, { type: 'usage', usage: read }] : chunks
  }

  function begin({ index, content_block: block }: Fields): Chunk[] {
    const chunks = blocks.begin(index, fieldsOf(block))
    if (blocks.hasTooManyCalls) state.failure = tooManyCalls()
    return chunks
  }

  function readEvent(type: unknown, event: Fields): Chunk[] {
    switch (type) {
      case 'content_block_delta':
        return state.finished ? [] : blocks.goOn(event['index'], fieldsOf(event['delta']))
      case 'content_block_start':
        return state.finished ? [] : begin(event)
      case 'content_block_stop':
        return state.finished ? [] : blocks.close(event['index'])
      case 'message_start':
        usage = toldAtStart(fieldsOf(fieldsOf(event['message'])?.['usage']))
        return usedSoFar(usage)
      case 'message_delta':
        return finish(event)
      case 'message_stop':
        state.ended = true
        return []
      case 'error':
        state.failure = streamedError(event)
        return []
      default:
        return []
    }
  }

  function read({ event: name, data }: { event?: string | undefined; data: string }): Chunk[] {
    if (state.failure || state.ended || data === '') return []
    const event = fieldsOf(parsedJson(data))
    if (event) return readEvent(event['type'] ?? name, event)
    if (data === '[DONE]') state.ended = true
    else state.failure = notTheProtocol(data.length)
    return []
  }

  return Object.assign(state, { read })
}

/** Before the answer its output is anybody's guess, mostly nought: only the end can report it. */
function toldAtStart(usage: Fields | undefined): Fields {
  const { output_tokens: _output, output_tokens_details: _details, ...told } = usage ?? {}
  return told
}

/** What an answer has used that is broken off before its end. Zeros mean that only the end will tell. */
function usedSoFar(told: Fields): Chunk[] {
  const usage = readUsage({ ...told, output_tokens: 0 })
  return usage && promptTokens(usage) > 0 ? [{ type: 'usage', usage, soFar: true }] : []
}

const reasons: Record<string, FinishReason> = {
  max_tokens: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
  model_context_window_exceeded: 'context_window',
}

/** Reasons that we do not know end the text as well as `end_turn` does. */
export function finishOf(reason: unknown, stopSequence: unknown): Extract<Chunk, { type: 'finish' }> {
  const known = typeof reason === 'string' && Object.hasOwn(reasons, reason) ? reasons[reason] : undefined
  const told = reason === 'stop_sequence' && typeof stopSequence === 'string' ? { stopSequence } : {}
  return { type: 'finish', choice: 0, reason: known ?? 'stop', ...told }
}
