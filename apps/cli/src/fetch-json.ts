import { whatFailed } from './ask-server.ts'
import { serverFailure } from './failure.ts'

const ANSWER_TIMEOUT_MS = 30_000

/**
 * The JSON of a 200. Anything else is thrown as a CommandFailure, in the server's words where it has any, and with a hint
 * where there is nothing.
 */
export async function fetchJson(url: string, apiKey?: string, whereNothingIs?: string): Promise<unknown> {
  const { status, text } = await get(url, apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` })
  const answer = jsonOf(text)
  if (status === 200 && answer !== undefined) return answer
  const message = (answer as { error?: { message?: unknown } } | undefined)?.error?.message
  const hint = status === 404 && whereNothingIs ? `\n${whereNothingIs}` : ''
  if (typeof message === 'string') throw serverFailure(`${message} (${status})${hint}`)
  throw serverFailure(`${url} answered ${status}, but not as Weir does. Is the URL right?`)
}

async function get(url: string, headers: Record<string, string>) {
  try {
    // A redirect could carry the key elsewhere.
    const response = await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) })
    return { status: response.status, text: await response.text() }
  } catch (error) {
    throw serverFailure(`No answer from ${url} (${whatFailed(error)}).`, error)
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
