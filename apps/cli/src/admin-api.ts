import { ask, type Question, refusal, strange, whatFailed } from './ask-server.ts'
import type { Server } from './choose-server.ts'
import { serverFailure } from './failure.ts'

const ANSWER_TIMEOUT_MS = 30_000

type Segments = readonly string[]
type Query = Readonly<Record<string, string>>

/** The admin API of one server. What comes back is the JSON of a 2xx; anything else is thrown as a CommandFailure. */
export type AdminApi = {
  get: (path: Segments, query?: Query) => Promise<unknown>
  /** Like `get`, for what may take the server minutes. */
  getPatiently: (path: Segments, query?: Query) => Promise<unknown>
  /** The bytes of an answer as they arrive. Throws when they break off before the end that the server meant. */
  download: (path: Segments, query?: Query) => AsyncIterable<Uint8Array>
  /** `made` is false where the server already had what was asked for. */
  post: (path: Segments, body: unknown) => Promise<{ made: boolean; answer: unknown }>
  put: (path: Segments, body: unknown) => Promise<unknown>
  patch: (path: Segments, body: unknown) => Promise<unknown>
  delete: (path: Segments) => Promise<unknown>
}

export function createAdminApi(server: Server): AdminApi {
  const inTime = () => AbortSignal.timeout(ANSWER_TIMEOUT_MS)
  const answerTo = async (question: Question) => (await call(server, question, inTime())).answer
  return {
    get: (path, query) => answerTo({ method: 'GET', path, query }),
    getPatiently: async (path, query) => (await call(server, { method: 'GET', path, query })).answer,
    download: (path, query) => download(server, { method: 'GET', path, query }),
    post: async (path, body) => {
      const { status, answer } = await call(server, { method: 'POST', path, body }, inTime())
      return { made: status === 201, answer }
    },
    put: (path, body) => answerTo({ method: 'PUT', path, body }),
    patch: (path, body) => answerTo({ method: 'PATCH', path, body }),
    delete: (path) => answerTo({ method: 'DELETE', path }),
  }
}

/** Without a signal, what limits the wait is `fetch`: five minutes of silence. */
async function call(server: Server, question: Question, signal?: AbortSignal) {
  const { status, text } = await ask(server, question, signal, async (response) => ({
    status: response.status,
    text: await response.text(),
  }))
  const answer = jsonOf(text)
  if (status < 200 || status > 299) throw refusal(server, status, answer)
  if (answer === undefined) throw strange(server, status)
  return { status, answer }
}

async function* download(server: Server, question: Question): AsyncGenerator<Uint8Array> {
  const { status, body, text } = await ask(server, question, undefined, async (response) =>
    response.status === 200
      ? { status: 200, body: response.body, text: '' }
      : { status: response.status, body: null, text: await response.text() },
  )
  if (status !== 200) throw refusal(server, status, jsonOf(text))
  try {
    yield* body ?? []
  } catch (error) {
    throw serverFailure(`The answer of ${server.url} broke off (${whatFailed(error)}): what came is not whole.`, error)
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
