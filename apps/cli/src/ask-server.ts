import type { Server } from './choose-server.ts'
import { type CommandFailure, serverFailure } from './failure.ts'

export type Question = {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path: readonly string[]
  query?: Readonly<Record<string, string>> | undefined
  body?: unknown
}

/** Sends one request and reads its answer. Where none comes, throws a CommandFailure that says what may help. */
export async function ask<T>(
  server: Server,
  question: Question,
  signal: AbortSignal | undefined,
  read: (response: Response) => Promise<T>,
): Promise<T> {
  try {
    return await read(await send(server, question, signal))
  } catch (error) {
    const reason = whatFailed(error)
    const advice = `No answer from ${server.url} (${reason}). Is Weir running? Start it: npm start`
    // Nobody knows whether a request that was sent has been carried out.
    const isHarmless = question.method === 'GET' || reason === 'ECONNREFUSED' || reason === 'ENOTFOUND'
    throw serverFailure(isHarmless ? advice : `${advice}\nIt may have been done all the same: look first.`, error)
  }
}

function send(server: Server, { method, path, query = {}, body }: Question, signal: AbortSignal | undefined) {
  const search = Object.keys(query).length > 0 ? `?${new URLSearchParams(query)}` : ''
  const headers: Record<string, string> = { authorization: `Bearer ${server.adminKey}` }
  if (body !== undefined) headers['content-type'] = 'application/json'
  return fetch(`${server.url}/admin/v1/${path.map(encodeURIComponent).join('/')}${search}`, {
    method,
    headers,
    body: body === undefined ? null : JSON.stringify(body),
    signal: signal ?? null,
    // A redirect would carry a POST elsewhere, or turn it into a GET; the operator should name the right URL.
    redirect: 'manual',
  })
}

/** An answer that is no 2xx, in the server's words. */
export function refusal(server: Server, status: number, answer: unknown): CommandFailure {
  const message = errorMessageOf(answer)
  if (message === undefined) return strange(server, status)
  if (status === 401) return serverFailure(`The server refused the admin key from ${server.keyFrom}: ${message}`)
  return serverFailure(`${message} (${status})`)
}

/** An answer that the admin API does not give. */
export const strange = (server: Server, status: number): CommandFailure =>
  serverFailure(`${server.url} answered ${status}, but not as Weir's admin API does. Is the URL right?`)

function errorMessageOf(answer: unknown): string | undefined {
  const message = (answer as { error?: { message?: unknown } } | null | undefined)?.error?.message
  return typeof message === 'string' ? message : undefined
}

/** Why there is no answer, in a word or two. */
export function whatFailed(error: unknown): string {
  if (error instanceof DOMException && error.name === 'TimeoutError') return 'it took too long'
  const cause = (error as { cause?: { code?: string; message?: string } }).cause
  return cause?.code ?? cause?.message ?? String(error)
}
