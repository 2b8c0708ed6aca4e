import { expect } from 'vitest'
import type { FuzzedDialect } from './dialects.ts'
import type { Answered } from './place.ts'

const said = expect.stringMatching(/\w/)
const param = expect.toBeOneOf([null, expect.stringMatching(/./)])
const type = expect.stringMatching(/^(invalid_request_error|not_found_error|request_too_large)$/)

const envelopes = {
  openai: { error: expect.objectContaining({ message: said, type, param, code: said }) },
  anthropic: {
    type: 'error',
    error: { type, message: said, details: expect.objectContaining({ error_code: said }) },
    request_id: expect.stringMatching(/^req_/),
  },
}

type Envelope = { error: { param?: string | null; details?: { param?: string } } }

/** That a refusal is one, in the words of its dialect; the field that it names, if it names one. */
export function paramOfRefusal({ name }: FuzzedDialect, { status, type: contentType, text }: Answered): string | null {
  expect(status, text).toBeGreaterThanOrEqual(400)
  expect(status, text).toBeLessThan(500)
  expect(contentType).toMatch(/^application\/json/)
  const body = JSON.parse(text) as Envelope
  expect(body).toEqual(envelopes[name])
  return body.error.param ?? body.error.details?.param ?? null
}
