import OpenAI, { type APIError } from 'openai'
import { expect } from 'vitest'

/** The failure of a call that must fail, after a look at what every error of ours carries. */
export async function failureOf(call: PromiseLike<unknown>): Promise<APIError> {
  const outcome = await Promise.resolve(call).then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  )
  // A client that gave up waiting has an error of its own, without an answer of ours in it.
  if (!(outcome instanceof OpenAI.APIError) || !outcome.error) throw outcome
  expect(Object.keys(outcome.error as object)).toEqual(expect.arrayContaining(['message', 'type', 'param', 'code']))
  expect((outcome.error as { message: unknown }).message).toEqual(expect.any(String))
  return outcome
}

/** The same, for a failure that comes before the first byte. */
export async function refusalOf(call: PromiseLike<unknown>): Promise<APIError> {
  const refusal = await failureOf(call)
  expect(refusal.headers?.get('x-request-id')).toMatch(/^req_/)
  expect(refusal.headers?.get('content-type')).toMatch(/^application\/json/)
  return refusal
}

/** What a client is told about trying again, in whole seconds that all clients obey. */
export function expectShortRetryAfter({ headers }: APIError): void {
  const seconds = headers?.get('retry-after') ?? ''
  expect(seconds).toMatch(/^\d+$/)
  expect(Number(seconds)).toBeGreaterThanOrEqual(1)
  expect(Number(seconds)).toBeLessThanOrEqual(59)
}
