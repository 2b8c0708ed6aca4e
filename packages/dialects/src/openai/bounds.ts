import { ServiceError } from '@weir/contracts'

const MAX_FIELDS = 64
const MAX_MESSAGES = 10_000
const MAX_PARTS = 10_000

/**
 * Refuses a body with more pieces than anybody needs, before a schema looks at each of them: a few megabytes of `{}` are
 * millions of mistakes to report, and seconds in which nobody else is served.
 */
export function assertBounded(body: unknown): void {
  if (!isRecord(body)) return
  assertFewFields(body)
  const { messages } = body
  if (!Array.isArray(messages)) return
  if (messages.length > MAX_MESSAGES) throw tooMany('messages', MAX_MESSAGES, 'messages')

  let parts = 0
  for (const message of messages) {
    if (!isRecord(message)) continue
    assertFewFields(message, 'messages')
    const { content } = message
    if (!Array.isArray(content)) continue
    parts += content.length
    if (parts > MAX_PARTS) throw tooMany('content parts', MAX_PARTS, 'messages')
    for (const part of content) if (isRecord(part)) assertFewFields(part, 'messages')
  }
}

function assertFewFields(record: Record<string, unknown>, param?: string): void {
  let fields = 0
  for (const _ in record) if (++fields > MAX_FIELDS) throw tooMany('fields', MAX_FIELDS, param)
}

const tooMany = (what: string, most: number, param?: string) =>
  new ServiceError(
    'invalid_request',
    `The request has more than ${most} ${what}.`,
    param === undefined ? {} : { param },
  )

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
