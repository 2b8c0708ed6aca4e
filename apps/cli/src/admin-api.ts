import type { Server } from './choose-server.ts'
import { type CommandFailure, serverFailure } from './failure.ts'

const ANSWER_TIMEOUT_MS = 30_000

type Segments = readonly string[]
type Query = Readonly<Record<string, string>>

/** The admin API of one server. What comes back is the JSON of a 2xx; anything else is thrown as a CommandFailure. */
export type AdminApi = {
  get: (path: Segments, query?: Query) => Promise<unknown>
  /** `made` is false where the server already had what was asked for. */
  post: (path: Segments, body: unknown) => Promise<{ made: boolean; answer: unknown }>
  delete: (path: Segments) => Promise<unknown>
}

export function createAdminApi(server: Server): AdminApi {
  return {
    get: async (path, query) => (await call(server, 'GET', path, { query })).answer,
    post: async (path, body) => {
      const { status, answer } = await call(server, 'POST', path, { body })
      return { made: status === 201, answer }
    },
    delete: async (path) => (await call(server, 'DELETE', path, {})).answer,
  }
}

type Answer = { status: number; answer: unknown }
type Extras = { query?: Query | undefined; body?: unknown }

async function call(server: Server, method: string, path: Segments, { query, body }: Extras): Promise<Answer> {
  const search = query && Object.keys(query).length > 0 ? `?${new URLSearchParams(query)}` : ''
  const url = `${server.url}/admin/v1/${path.map(encodeURIComponent).join('/')}${search}`
  const headers: Record<string, string> = { authorization: `Bearer ${server.adminKey}` }
  if (body !== undefined) headers['content-type'] = 'application/json'

  const { status, text } = await exchange(server, url, { method, headers, body: body ? JSON.stringify(body) : null })
  const answer = jsonOf(text)
  if (status < 200 || status > 299) throw refusal(server, status, answer)
  if (answer === undefined) throw notWeir(server, status)
  return { status, answer }
}

async function exchange(server: Server, url: string, init: RequestInit): Promise<{ status: number; text: string }> {
  try {
    // A redirect would carry a POST elsewhere, or turn it into a GET; the operator should name the right URL.
    const response = await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) })
    return { status: response.status, text: await response.text() }
  } catch (error) {
    throw serverFailure(
      `No answer from ${server.url} (${reasonOf(error)}). Is Weir running? Start it: npm start`,
      error,
    )
  }
}

function refusal(server: Server, status: number, answer: unknown): CommandFailure {
  const message = errorMessageOf(answer)
  if (message === undefined) return notWeir(server, status)
  if (status === 401) return serverFailure(`The server refused the admin key from ${server.keyFrom}: ${message}`)
  return serverFailure(`${message} (${status})`)
}

const notWeir = (server: Server, status: number): CommandFailure =>
  serverFailure(`${server.url} answered ${status}, but not as Weir's admin API does. Is the URL right?`)

function errorMessageOf(answer: unknown): string | undefined {
  const message = (answer as { error?: { message?: unknown } } | null | undefined)?.error?.message
  return typeof message === 'string' ? message : undefined
}

function reasonOf(error: unknown): string {
  if (error instanceof DOMException && error.name === 'TimeoutError') return `${ANSWER_TIMEOUT_MS / 1000} s passed`
  const cause = (error as { cause?: { code?: string; message?: string } }).cause
  return cause?.code ?? cause?.message ?? String(error)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
