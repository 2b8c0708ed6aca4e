import { errors as undiciErrors } from 'undici'
import { type Chunk, ServiceError } from '@weir/contracts'
import { backendError } from '@weir/dialects'
import type { Answer } from './answer.ts'
import {
  abortErrorOf,
  connectTimedOut,
  endedEarly,
  fellSilent,
  firstTokenTimedOut,
  unreachable,
} from './backend-errors.ts'
import { type Endpoint, post } from './endpoint.ts'
import { createEventAnswer } from './event-answer.ts'
import { createPatience, type Patience } from './patience.ts'
import { createPlainAnswer } from './plain-answer.ts'
import type { Call, Protocol } from './protocol.ts'
import { refusalOf } from './refusal.ts'

/** Usage follows the finish at once or never; nobody waits longer for it. */
const USAGE_TIMEOUT_MS = 5_000
/** How long a finished answer may take to end its connection before it is closed instead of kept. */
const LAST_BYTES_TIMEOUT_MS = 1_000

type Reads = AsyncIterator<Uint8Array>

/** The chunks of one call, its usage last: what every kind of backend that speaks HTTP has in common. */
export async function* streamCall(
  endpoint: Endpoint,
  callOf: () => Call,
  signal: AbortSignal,
): AsyncGenerator<Chunk, void, undefined> {
  if (signal.aborted) throw abortErrorOf(signal)
  const call = callOf()
  const ending = new AbortController()
  const cancel = () => ending.abort(signal.reason)
  signal.addEventListener('abort', cancel, { once: true })

  const { protocol, timeouts } = endpoint
  const patience = createPatience((error) => ending.abort(error))
  patience.allow(timeouts.first_token_timeout_ms, firstTokenTimedOut)
  let answer: Answer | undefined
  let reads: Reads | undefined
  let lastWords: NodeJS.Timeout | undefined
  try {
    const response = await patience.wait(() => post(endpoint, call, ending.signal))
    if (response.statusCode !== 200) throw await patience.wait(() => refusalOf(response, protocol))

    reads = response.body[Symbol.asyncIterator]() as Reads
    while (!answer?.ended) {
      const bytes = await nextBytes(reads, answer, patience)
      if (bytes) answer ??= answerThatBegins(bytes, protocol, call)
      if (!answer) {
        if (bytes) continue
        break
      }
      const eventsBefore = answer.events
      for (const chunk of bytes ? answer.read(bytes) : answer.readEnd()) {
        if (signal.aborted) throw signal.reason
        yield chunk
      }
      if (answer.failure) throw answer.failure
      if (!bytes) break
      // From here on nothing is yielded, so no reader can be late: the clock on the wall counts.
      if (answer.finished) lastWords ??= endAfterLastWords(ending, patience, timeouts)
      else if (answer.begun && answer.events > eventsBefore) patience.allow(timeouts.idle_timeout_ms, fellSilent)
    }
    if (signal.aborted) throw signal.reason
    if (!answer?.finished) throw endedEarly()
    if (answer.usage) yield { type: 'usage', usage: answer.usage }
  } catch (error) {
    throw signal.aborted ? abortErrorOf(signal) : designedErrorOf(error, reads !== undefined)
  } finally {
    signal.removeEventListener('abort', cancel)
    clearTimeout(lastWords)
    if (answer?.ended && reads) void readToEnd(reads, ending)
    else ending.abort()
  }
}

const isBlank = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)

/**
 * By its first character an answer is a stream of events or one JSON object, whatever its headers say of it. Undefined
 * as long as there is only blank space, by which some proxies keep a connection open.
 */
function answerThatBegins(bytes: Uint8Array, protocol: Protocol, call: Call): Answer | undefined {
  const first = bytes.find((byte) => !isBlank(byte))
  if (first === undefined) return undefined
  return first === 0x7b ? createPlainAnswer(protocol, call) : createEventAnswer(protocol, call)
}

/** The next bytes, or undefined at the end. Once the text is whole, a broken connection is an end like any other. */
async function nextBytes(
  reads: Reads,
  answer: Answer | undefined,
  patience: Patience,
): Promise<Uint8Array | undefined> {
  try {
    const read = await patience.wait(() => reads.next())
    return read.done ? undefined : read.value
  } catch (error) {
    if (answer?.finished) return undefined
    throw error
  }
}

/** Gives a finished answer a moment for its usage, whatever else its server goes on to say. */
function endAfterLastWords(
  ending: AbortController,
  patience: Patience,
  timeouts: Endpoint['timeouts'],
): NodeJS.Timeout {
  const ms = Math.min(USAGE_TIMEOUT_MS, timeouts.idle_timeout_ms)
  patience.allow(ms, fellSilent)
  return setTimeout(() => ending.abort(), ms)
}

/** Reads the last bytes after the end, so that the connection can serve the next call. */
async function readToEnd(reads: Reads, ending: AbortController): Promise<void> {
  const timer = setTimeout(() => ending.abort(), LAST_BYTES_TIMEOUT_MS)
  try {
    while (!(await reads.next()).done);
  } catch {
    // The connection is gone; the answer was complete.
  } finally {
    clearTimeout(timer)
  }
}

function designedErrorOf(error: unknown, isAnswering: boolean): ServiceError {
  if (error instanceof ServiceError) return error
  if (error instanceof undiciErrors.ConnectTimeoutError) return connectTimedOut(error)
  if (error instanceof undiciErrors.HeadersOverflowError) return backendError.failed(error)
  return isAnswering ? endedEarly(error) : unreachable(error)
}
