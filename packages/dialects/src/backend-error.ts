import { ServiceError } from '@weir/contracts'

// What a backend says is about our key, our account and our hosts: clients get these sentences, the log gets the cause.

export const failed = (cause?: unknown): ServiceError =>
  new ServiceError('backend_error', "The model's backend failed. Please try again.", { cause })

/** Our key is wrong, or our bill is unpaid: asking again changes nothing, and vendors lock out who does. */
export const setUpWrong = (cause?: unknown): ServiceError =>
  new ServiceError('backend_error', failed().message, { cause, retryable: false })

export const overloaded = (retryAfterMs: number, cause?: unknown): ServiceError =>
  new ServiceError('backend_overloaded', "The model's backend is overloaded. Please try again in a moment.", {
    retryAfterMs,
    cause,
  })

export const refused = (cause?: unknown): ServiceError =>
  new ServiceError(
    'invalid_request',
    "The model's backend refused this request. Check its messages and parameters against what the model supports.",
    { cause },
  )

export const contextExceeded = (cause?: unknown): ServiceError =>
  new ServiceError(
    'context_length_exceeded',
    "This request is longer than the model's context. Shorten the messages or ask for fewer output tokens.",
    { param: 'messages', cause },
  )

const LONGEST_CAUSE_CHARACTERS = 500

/**
 * What the log may hold of a vendor's answer: where it came from, and the short names it gives the error. Its sentences
 * may quote the prompt or name our key.
 */
export function causeOf(where: string, text: string): Error {
  const names = [...text.matchAll(/"(?:code|type|param|status)"\s*:\s*"?([\w.-]{1,64})"?/g)].map(([, name]) => name)
  return new Error([where, ...new Set(names)].join(' ').slice(0, LONGEST_CAUSE_CHARACTERS))
}

/** The most tool calls of one choice. Clients refuse an answer with more. */
export const MOST_CALLS = 128

export const tooManyCalls = (): ServiceError => failed(new Error(`more than ${MOST_CALLS} tool calls in one choice`))

/** Of what cannot be read the log gets the length alone: it may quote the prompt. */
export const notTheProtocol = (characters: number): ServiceError =>
  failed(new Error(`not an event of the protocol: ${characters} characters`))
