import { ServiceError } from '@weir/contracts'
import { assertBounded as assertBoundedAlike } from '../bounds.ts'

const MAX_PARTS = 10_000

/** As for the other dialect: what is counted has the same names in both. Only here may a part of a message hold parts itself. */
export function assertBounded(body: unknown): void {
  assertBoundedAlike(body)
  let parts = 0
  for (const turn of listIn(body, 'messages')) {
    for (const block of listIn(turn, 'content')) {
      parts += listIn(block, 'content').length
      if (parts <= MAX_PARTS) continue
      const message = `The request has more than ${MAX_PARTS} content parts.`
      throw new ServiceError('invalid_request', message, { param: 'messages' })
    }
  }
}

function listIn(value: unknown, field: string): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return []
  const list = (value as Record<string, unknown>)[field]
  return Array.isArray(list) ? list : []
}
