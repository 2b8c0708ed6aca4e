import { type ErrorCode, ServiceError, errors } from '@weir/contracts'
import { expect, test } from 'vitest'
import * as anthropic from '../anthropic/index.ts'
import * as openai from '../openai/index.ts'

const codes = Object.keys(errors) as ErrorCode[]
const wire = (body: unknown) => JSON.parse(JSON.stringify(body))

/** What another service of this kind would make of the error, were this one its backend. */
function expectedOf(code: ErrorCode): ErrorCode[] {
  const { status } = errors[code]
  if (code === 'context_length_exceeded') return [code]
  if (status === 429 || status === 503) return ['backend_overloaded']
  // Whose mistake it is that something is not there, OpenAI-compatible servers tell in their words.
  if (status === 404) return ['invalid_request', 'backend_error']
  return [400, 413].includes(status) ? ['invalid_request'] : ['backend_error']
}

test.each(codes)('%s is understood by who reads it, in both dialects, and quoted by none', (code) => {
  const error = new ServiceError(code, 'Words of ours.')
  for (const { renderError, readError } of [anthropic, openai]) {
    const read = readError(errors[code].status, wire(renderError(error)))
    expect(expectedOf(code)).toContain(read.code)
    expect(read.message).not.toContain('Words of ours.')
  }
})

test.each(codes)('%s within a stream ends it in both dialects', (code) => {
  const error = new ServiceError(code, 'Words of ours.')
  for (const { renderErrorEvent, createEventReader } of [anthropic, openai]) {
    const [, event, data] = /^(?:event: (\w+)\n)?data: ([^\n]*)\n\n$/.exec(renderErrorEvent(error))!
    const reader = createEventReader()
    expect(reader.read({ ...(event && { event }), data: data! })).toEqual([])
    expect(reader.failure).toBeInstanceOf(ServiceError)
    expect([reader.finished, reader.failure!.message.includes('ours')]).toEqual([false, false])
  }
})
