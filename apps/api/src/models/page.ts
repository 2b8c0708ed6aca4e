import { ServiceError } from '@weir/contracts'
import { checked } from '@weir/dialects'
import { z } from 'zod'
import { wholeNumber } from '../inputs.ts'
import { type Named, idOf } from './render.ts'

const PageQuery = z.object({
  limit: wholeNumber(1_000).default(20),
  after_id: z.string().optional(),
  before_id: z.string().optional(),
})

/** A page as clients of Anthropic's API turn them: behind one id, or before one. */
export function pageOf(all: readonly Named[], query: unknown) {
  const { value, error } = checked(PageQuery, query)
  if (error) throw error
  const { limit, after_id: after, before_id: before } = value
  const placeOf = (param: string, id: string) => {
    const place = all.findIndex((named) => idOf(named) === id)
    if (place >= 0) return place
    throw new ServiceError('invalid_request', `'${param}' is not the id of a model.`, { param })
  }
  const from = after === undefined ? 0 : placeOf('after_id', after) + 1
  const to = before === undefined ? all.length : placeOf('before_id', before)
  // Before an id means the last ones before it.
  const page =
    before !== undefined && after === undefined ? all.slice(0, to).slice(-limit) : all.slice(from, to).slice(0, limit)
  const ids = page.map(idOf)
  return { page, has_more: page.length < Math.max(0, to - from), first_id: ids[0] ?? null, last_id: ids.at(-1) ?? null }
}
