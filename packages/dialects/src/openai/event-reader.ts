import { type Chunk, type ServiceError, type Usage, generatedTokens, promptTokens } from '@weir/contracts'
import { notTheProtocol, tooManyCalls } from '../backend-error.ts'
import { type Fields, fieldsOf, listOf, parsedJson } from '../fields.ts'
import { type ChoiceReader, createChoiceReader } from './choice-reader.ts'
import { readStreamedError } from './read-error.ts'
import { readTimings, readUsage } from './usage.ts'

const MOST_CHOICES = 128

export type EventReaderOptions = {
  /** How many choices were asked for; what a server says of others is not for us. */
  choices?: number | undefined
}

/**
 * Reads one stream of chat completion chunks, event by event. It never throws: what cannot be read is a `failure`, after
 * which nothing follows. `finished`: every choice has ended; `ended`: the stream has said that it is over.
 */
export function createEventReader({ choices: asked }: EventReaderOptions = {}) {
  const readers = new Map<number, ChoiceReader>()
  let failure: ServiceError | undefined
  let ended = false
  let finished = false
  let usage: Usage | undefined
  let hasCounted = false

  function isFinished(): boolean {
    if (readers.size === 0 || (!ended && readers.size < (asked ?? 1))) return false
    for (const reader of readers.values()) if (!reader.isFinished) return false
    return true
  }

  function readChoice(choice: Fields, body: Fields, chunks: Chunk[]): void {
    const index = choice['index'] ?? 0
    if (!isIndex(index) || index >= (asked ?? MOST_CHOICES)) return
    let reader = readers.get(index)
    if (!reader) readers.set(index, (reader = createChoiceReader(index)))
    const outcome = reader.read(choice, chunks)
    if (outcome === 'failed') failure = readStreamedError(choice['error'] ?? body)
    else if (outcome === 'too many calls') failure = tooManyCalls()
  }

  /** Zeros after a real count are what some servers fill their last events with. */
  function hear(told: Usage | undefined): Usage | undefined {
    const tokens = told && promptTokens(told) + generatedTokens(told)
    if (!told || (tokens === 0 && hasCounted)) return undefined
    hasCounted ||= tokens !== 0
    return (usage = told)
  }

  /** The last usage counts, and some servers count up with every chunk: until the text is whole it is what was used so far. */
  function tellUsage(chunks: Chunk[], told?: Usage): void {
    const heard = hear(told)
    finished = isFinished()
    if (usage && (finished || ended)) {
      chunks.push({ type: 'usage', usage })
      usage = undefined
    } else if (heard && hasCounted) chunks.push({ type: 'usage', usage: heard, soFar: true })
  }

  return {
    read({ event, data }: { event?: string | undefined; data: string }): Chunk[] {
      const chunks: Chunk[] = []
      if (failure || ended) return chunks
      if (data.startsWith('[DONE]')) {
        ended = true
        tellUsage(chunks)
        return chunks
      }
      const body = fieldsOf(parsedJson(data))
      if (!body) {
        // What goes by another name than the protocol's is not for us, an error apart.
        if (event === 'error') failure = readStreamedError(data)
        else if (!event || event === 'message') failure = notTheProtocol(data.length)
        return chunks
      }
      const error = errorIn(event, body)
      if (error) {
        failure = readStreamedError(error)
        return chunks
      }
      for (const each of listOf(body['choices'])) {
        const choice = fieldsOf(each)
        if (choice && !failure) readChoice(choice, body, chunks)
      }
      tellUsage(chunks, usageIn(body))
      return chunks
    },
    get finished(): boolean {
      return finished
    },
    get ended(): boolean {
      return ended
    },
    get failure(): ServiceError | undefined {
      return failure
    },
  }
}

const isIndex = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0

/** Errors come nested, flat under the name `error`, or flat as vLLM sends them. */
function errorIn(event: string | undefined, body: Fields): unknown {
  if (body['error']) return body['error']
  return event === 'error' || body['object'] === 'error' || body['type'] === 'error' ? body : undefined
}

/** Usage stands beside the choices, and elsewhere with Groq and Moonshot; older llama.cpp tells timings alone. */
export function usageIn(body: Fields): Usage | undefined {
  if (body['usage']) return readUsage(body['usage'])
  const groq = fieldsOf(body['x_groq'])
  if (groq) return readUsage(groq['usage'])
  if (body['timings']) return readTimings(body['timings'])
  const [choice] = listOf(body['choices'])
  const within = fieldsOf(choice)?.['usage']
  return within ? readUsage(within) : undefined
}
