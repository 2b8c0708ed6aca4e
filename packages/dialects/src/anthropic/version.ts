import { ServiceError } from '@weir/contracts'
import type { MessagesRequest } from './request.ts'

/** The two generations of the API, as `anthropic-version` names them. */
export type Version = '2023-06-01' | '2026-10-21'

/** The generation that a client speaks; one that we have not heard of, and none, is the first. */
export const versionOf = (header: unknown): Version => (header === '2026-10-21' ? header : '2023-06-01')

const sampling = ['temperature', 'top_p', 'top_k'] as const

/** The second generation knows no sampling. Both refuse citations, and documents of an assistant, for the schema does. */
export function assertOfVersion(body: Pick<MessagesRequest, (typeof sampling)[number]>, version: Version): void {
  if (version === '2023-06-01') return
  const param = sampling.find((field) => body[field] !== undefined && body[field] !== null)
  if (!param) return
  throw new ServiceError('unsupported_parameter', `'${param}' is not part of anthropic-version ${version}.`, { param })
}
