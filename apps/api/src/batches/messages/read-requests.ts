import { type Microcredits, ServiceError } from '@weir/contracts'
import { checked } from '@weir/dialects'
import { z } from 'zod'
import { maxCredits, webhookUrl } from '../schemas.ts'
import type { BodyShare } from '../../http/body-room.ts'
import { partsOf } from './inline-body.ts'
import { type Part, parsedJson, partTooLarge } from './part-cutter.ts'

export const InlineRequest = z.strictObject({
  custom_id: z
    .string()
    .regex(/^[a-zA-Z0-9_-]{1,64}$/, 'must have 1 to 64 characters, each of them a letter, a digit, _ or -'),
  params: z.record(z.string(), z.unknown()).describe('The body of POST /v1/messages'),
})

const more = { max_credits: maxCredits.nullish(), webhook_url: webhookUrl.nullish() }
const Fields = z.object(more)

/** For the API reference: a body is read request by request, and never as a whole. */
export const InlineBatch = z.strictObject({ requests: z.array(InlineRequest).min(1), ...more })

export type RequestBounds = { maxBytes: number; maxRequests: number; maxRequestBytes: number }

/** What was read so far; all of it once the lines have come to their end. */
export type Read = { requests: number; maxCost: Microcredits | undefined; webhookUrl: string | undefined }

/**
 * The requests of a body as lines of an input file, as they come. Whatever is wrong with how they are handed over ends it at
 * once; whether each can be run is seen when it is validated.
 */
export async function* linesIn(
  body: AsyncIterable<Uint8Array>,
  read: Read,
  { maxBytes, maxRequestBytes: maxPartBytes, maxRequests }: RequestBounds,
  share: BodyShare,
): AsyncGenerator<Uint8Array> {
  const seen = new Set<string>()
  const fields: Record<string, unknown> = {}
  for await (const part of partsOf(body, { maxBytes, maxPartBytes, fields: Object.keys(more) }, share)) {
    if (part.kind === 'field') {
      fields[part.name] = parsedJson(part.json)
      continue
    }
    read.requests = part.index + 1
    if (read.requests > maxRequests) throw tooMany(maxRequests)
    yield* lineFrom(part, seen, maxPartBytes)
  }

  if (read.requests === 0) throw new ServiceError('invalid_request', "'requests' must be a list of one or more.", of())
  const { value, error } = checked(Fields, fields)
  if (error) throw error
  read.maxCost = value.max_credits ?? undefined
  read.webhookUrl = value.webhook_url ?? undefined
}

type RequestPart = Extract<Part, { kind: 'request' }>

/** Its `params` are handed on as they were written: what JSON makes of them is seen when they are validated. */
function lineFrom({ index, json, members, inner }: RequestPart, seen: Set<string>, maxBytes: number): Uint8Array[] {
  const customId = customIdOf(index, parsedJson(json))
  // Of a field that is there twice nobody knows which was meant.
  if (members !== 2)
    throw new ServiceError('invalid_request', `'requests[${index}]' has a field twice.`, of(`[${index}]`))
  if (seen.has(customId)) {
    const message = `The custom_id '${customId}' was used by an earlier request: each needs one of its own.`
    throw new ServiceError('invalid_request', message, of(`[${index}].custom_id`))
  }
  seen.add(customId)
  const head = Buffer.from(`{"custom_id":"${customId}","method":"POST","url":"/v1/messages","body":`)
  const line = [head, json.subarray(inner.start, inner.end), Buffer.from('}')]
  if (line.reduce((sum, { length }) => sum + length, 0) > maxBytes) throw partTooLarge(maxBytes)
  return [...line, Buffer.from('\n')]
}

function customIdOf(index: number, value: unknown): string {
  const { data: request } = InlineRequest.safeParse(value)
  if (!request) throw wrongRequest(index, value)
  return request.custom_id
}

/** Named as the client wrote it. */
function wrongRequest(index: number, value: unknown): ServiceError {
  const name = `requests[${index}]`
  const { error } = checked(z.object({ [name]: InlineRequest }), { [name]: value })
  return error ?? new ServiceError('invalid_request', `'${name}' is not as it should be.`, { param: name })
}

const tooMany = (most: number) =>
  new ServiceError('invalid_request', `There are too many requests: a batch may have ${most}. Split it.`, of())

const of = (rest = '') => ({ param: `requests${rest}` })
