import type { CompletionJob } from './completion.ts'
import type { CompletionRequest } from './completion-request.ts'

/** Keys, quotes and commas of one value, about. */
const BYTES_PER_VALUE = 8

/** Whether a value takes more than so many bytes as JSON, about. It counts no further than it must. */
export function takesMoreThan(value: unknown, bytes: number): boolean {
  let left = bytes
  // Not by recursion: what clients send may be nested deeper than a stack is.
  const open: unknown[] = [value]
  while (open.length > 0) {
    const next = open.pop()
    left -= BYTES_PER_VALUE
    if (typeof next === 'string') left -= Buffer.byteLength(next)
    else if (typeof next === 'object' && next !== null)
      for (const key in next) {
        left -= Array.isArray(next) ? 0 : Buffer.byteLength(key)
        open.push((next as Record<string, unknown>)[key])
        if (left - open.length * BYTES_PER_VALUE < 0) return true
      }
    if (left < 0) return true
  }
  return false
}

/** What of a request can be large. */
const large = ['messages', 'tools', 'responseFormat', 'stop', 'logitBias', 'extra'] as const

/** A large job without what makes it large: as it lies in Redis, while all of it lies in Postgres. */
export function lightened(job: CompletionJob): CompletionJob {
  if (!job.large) return job
  const request: CompletionRequest = { ...job.request, messages: [] }
  for (const field of large) if (field !== 'messages') delete request[field]
  return { ...job, request }
}

/** The same job whole again. What is decided after its admission, such as a lower output cap, is in the light one. */
export function madeWhole(light: CompletionJob, kept: CompletionJob): CompletionJob {
  const parts = large.flatMap((field) => (kept.request[field] === undefined ? [] : [[field, kept.request[field]]]))
  return { ...light, request: { ...light.request, ...Object.fromEntries(parts) } }
}
