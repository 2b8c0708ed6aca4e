import { type Microcredits, ServiceError } from '@weir/contracts'
import { checked } from '@weir/dialects'
import { z } from 'zod'
import { maxCredits, webhookUrl } from '../schemas.ts'
import { type Part, partsOf } from './inline-body.ts'

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
export async function* linesIn(body: AsyncIterable<Uint8Array>, read: Read, bounds: RequestBounds) {
  const { maxBytes, maxRequestBytes: maxPartBytes, maxRequests } = bounds
  const seen = new Set<string>()
  const fields: Record<string, unknown> = {}
  const lineOf = (part: Part): string => {
    if (part.kind === 'field') {
      fields[part.name] = part.value
      return ''
    }
    read.requests = part.index + 1
    if (read.requests > maxRequests) throw tooMany(maxRequests)
    return lineFrom(part, seen)
  }
  for await (const parts of partsOf(body, { maxBytes, maxPartBytes, fields: Object.keys(more) }))
    yield Buffer.from(parts.map(lineOf).join(''))

  if (read.requests === 0) throw new ServiceError('invalid_request', "'requests' must be a list of one or more.", of())
  const { value, error } = checked(Fields, fields)
  if (error) throw error
  read.maxCost = value.max_credits ?? undefined
  read.webhookUrl = value.webhook_url ?? undefined
}

function lineFrom({ index, value }: { index: number; value: unknown }, seen: Set<string>): string {
  const { data: request } = InlineRequest.safeParse(value)
  if (!request) throw wrongRequest(index, value)
  const { custom_id, params } = request
  if (seen.has(custom_id)) {
    const message = `The custom_id '${custom_id}' was used by an earlier request: each needs one of its own.`
    throw new ServiceError('invalid_request', message, of(`[${index}].custom_id`))
  }
  seen.add(custom_id)
  return `${JSON.stringify({ custom_id, method: 'POST', url: '/v1/messages', body: params })}\n`
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
