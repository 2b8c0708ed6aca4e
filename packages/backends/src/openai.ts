import { errors as undiciErrors, Pool, type Dispatcher } from 'undici'
import { type BackendConfig, type Chunk, type CompletionRequest, ServiceError, type Target } from '@weir/contracts'
import type { Backend } from './backend.ts'
import {
  abortErrorOf,
  connectTimedOut,
  endedEarly,
  fellSilent,
  firstTokenTimedOut,
  unreachable,
} from './backend-errors.ts'
import { createOpenAiAnswer, type OpenAiAnswer } from './openai-answer.ts'
import { refusalOf } from './openai-refusal.ts'
import { openAiBodyOf, vendorOf } from './openai-request.ts'
import { createPatience, type Patience } from './patience.ts'

export type OpenAiConfig = Extract<BackendConfig, { kind: 'openai' }>

const DEFAULT_CONNECTIONS = 256
/** Usage follows the finish at once or never; nobody waits longer for it. */
const USAGE_TIMEOUT_MS = 5_000
/** How long a finished answer may take to end its connection before it is closed instead of kept. */
const LAST_BYTES_TIMEOUT_MS = 1_000

type Endpoint = { pool: Pool; url: URL; config: OpenAiConfig; secret: string | undefined }
type Reads = AsyncIterator<Uint8Array>

/** Any server that speaks OpenAI's chat completions. Keeps connections open between calls, one call on each. */
export function createOpenAiBackend(name: string, config: OpenAiConfig, secret: string | undefined): Backend {
  const url = new URL(config.base_url)
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/chat/completions`
  const pool = new Pool(url.origin, {
    connections: config.slots ?? DEFAULT_CONNECTIONS,
    // HTTP/1.1 only: a cancelled call closes its socket, which makes every server stop generating.
    allowH2: false,
    connect: { timeout: config.connect_timeout_ms },
    // Patience watches the answer, and tells its first token from the rest.
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  const endpoint = { pool, url, config, secret }

  return {
    name,
    stream: (request, target, signal) => streamAnswer(endpoint, request, target, signal),
    [Symbol.asyncDispose]: () => pool.destroy(),
  }
}

async function* streamAnswer(
  endpoint: Endpoint,
  request: CompletionRequest,
  target: Target,
  signal: AbortSignal,
): AsyncGenerator<Chunk, void, undefined> {
  if (signal.aborted) throw abortErrorOf(signal)
  const call = new AbortController()
  const cancel = () => call.abort(signal.reason)
  signal.addEventListener('abort', cancel, { once: true })

  const { config } = endpoint
  const patience = createPatience((error) => call.abort(error))
  patience.allow(config.first_token_timeout_ms, firstTokenTimedOut)
  const answer = createOpenAiAnswer()
  let reads: Reads | undefined
  let lastWords: NodeJS.Timeout | undefined
  try {
    const response = await patience.wait(() => post(endpoint, request, target, call.signal))
    if (response.statusCode !== 200) throw await patience.wait(() => refusalOf(response))

    reads = response.body[Symbol.asyncIterator]() as Reads
    while (!answer.ended) {
      const bytes = await nextBytes(reads, answer, patience)
      if (!bytes) break
      const eventsBefore = answer.events
      for (const chunk of answer.read(bytes)) {
        if (signal.aborted) throw signal.reason
        yield chunk
      }
      if (answer.failure) throw answer.failure
      // From here on nothing is yielded, so no reader can be late: the clock on the wall counts.
      if (answer.finished) lastWords ??= endAfterLastWords(call, patience, config)
      else if (answer.begun && answer.events > eventsBefore) patience.allow(config.idle_timeout_ms, fellSilent)
    }
    if (signal.aborted) throw signal.reason
    if (!answer.finished) throw endedEarly()
    if (answer.usage) yield { type: 'usage', usage: answer.usage }
  } catch (error) {
    throw signal.aborted ? abortErrorOf(signal) : designedErrorOf(error, reads !== undefined)
  } finally {
    signal.removeEventListener('abort', cancel)
    clearTimeout(lastWords)
    if (answer.ended && reads) void readToEnd(reads, call)
    else call.abort()
  }
}

async function post(
  { pool, url, secret }: Endpoint,
  request: CompletionRequest,
  target: Target,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  const response = pool.request({
    path: `${url.pathname}${url.search}`,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }),
    },
    body: openAiBodyOf(request, target, vendorOf(url)),
    signal,
  })
  // A call that still waits for its connection hears of an abort only once it is connected: we do not wait for that.
  return Promise.race([response, rejectedOnAbort(signal)])
}

const rejectedOnAbort = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))

/** The next bytes, or undefined at the end. Once the text is whole, a broken connection is an end like any other. */
async function nextBytes(reads: Reads, answer: OpenAiAnswer, patience: Patience): Promise<Uint8Array | undefined> {
  try {
    const read = await patience.wait(() => reads.next())
    return read.done ? undefined : read.value
  } catch (error) {
    if (answer.finished) return undefined
    throw error
  }
}

/** Gives a finished answer a moment for its usage, whatever else its server goes on to say. */
function endAfterLastWords(call: AbortController, patience: Patience, config: OpenAiConfig): NodeJS.Timeout {
  const ms = Math.min(USAGE_TIMEOUT_MS, config.idle_timeout_ms)
  patience.allow(ms, fellSilent)
  return setTimeout(() => call.abort(), ms)
}

/** Reads the last bytes after `[DONE]`, so that the connection can serve the next call. */
async function readToEnd(reads: Reads, call: AbortController): Promise<void> {
  const timer = setTimeout(() => call.abort(), LAST_BYTES_TIMEOUT_MS)
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
  return isAnswering ? endedEarly(error) : unreachable(error)
}
