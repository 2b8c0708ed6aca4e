import { ServiceError } from '@weir/contracts'

const MAX_FIELDS = 64
const MAX_MESSAGES = 10_000
const MAX_PARTS = 10_000
const MAX_ITEMS = 1_024
const MAX_VALUES = 200_000
const MAX_DEPTH = 64

/**
 * Refuses a body with more pieces than anybody needs, before a schema looks at each of them: a few megabytes of `{}` are
 * millions of mistakes to report, and seconds in which nobody else is served; what is nested too deep cannot be written
 * as JSON again.
 */
export function assertBounded(body: unknown): void {
  if (!isRecord(body)) return
  assertFew('fields', countOf(body, MAX_FIELDS), MAX_FIELDS)
  for (const [key, value] of Object.entries(body)) {
    if (key === 'messages') continue
    const items = Array.isArray(value) ? value.length : isRecord(value) ? countOf(value, MAX_ITEMS) : 0
    assertFew('items', items, MAX_ITEMS, key)
  }
  assertMessages(body['messages'])
  assertShallow(body)
}

function assertMessages(messages: unknown): void {
  if (!Array.isArray(messages)) return
  assertFew('messages', messages.length, MAX_MESSAGES, 'messages')
  let parts = 0
  for (const message of messages) {
    if (!isRecord(message)) continue
    assertFew('fields', countOf(message, MAX_FIELDS), MAX_FIELDS, 'messages')
    const { content, tool_calls: calls } = message
    for (const list of [content, calls]) {
      if (!Array.isArray(list)) continue
      parts += list.length
      assertFew('content parts', parts, MAX_PARTS, 'messages')
      for (const part of list)
        if (isRecord(part)) assertFew('fields', countOf(part, MAX_FIELDS), MAX_FIELDS, 'messages')
    }
  }
}

/** Walks through all of it, level by level: whatever its depth, this needs no stack. */
function assertShallow(body: object): void {
  let values = 0
  let level: object[] = [body]
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > MAX_DEPTH)
      throw new ServiceError('invalid_request', `The request is nested more than ${MAX_DEPTH} levels deep.`)
    const next: object[] = []
    for (const each of level) {
      for (const value of Array.isArray(each) ? each : Object.values(each)) {
        if (++values > MAX_VALUES) throw tooMany('values', MAX_VALUES)
        if (typeof value === 'object' && value !== null) next.push(value)
      }
    }
    level = next
  }
}

/** How many fields there are, counted no further than it takes to see that they are too many. */
function countOf(record: Record<string, unknown>, most: number): number {
  let fields = 0
  for (const _ in record) if (++fields > most) break
  return fields
}

function assertFew(what: string, count: number, most: number, param?: string): void {
  if (count > most) throw tooMany(what, most, param)
}

const tooMany = (what: string, most: number, param?: string) =>
  new ServiceError(
    'invalid_request',
    `The request has more than ${most} ${what}.`,
    param === undefined ? {} : { param: param.slice(0, 100) },
  )

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
