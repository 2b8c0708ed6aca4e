import { type ErrorCode, ServiceError } from '@weir/contracts'
import { z } from 'zod'
import { valueAt, wordsFor } from './request-error-words.ts'

/**
 * A field that we know and do not take. Its message goes on after the field's name, `is not supported: …`. Null is the
 * same as leaving it out.
 */
export const unsupported = (message: string) => z.never({ error: message }).nullish()

/** What `params` of a custom issue may say: the code of the error, where it is not `invalid_request`. */
export type IssueParams = { code: ErrorCode }

export type Checked<Value> = { value: Value; error?: undefined } | { value?: undefined; error: ServiceError }

/**
 * What a client has sent, as a schema reads it, or the 400 that says what is wrong. It names the field as a client would
 * write it (`messages[0].content`), tells a misspelt field from one we know and do not support, and speaks in plain words.
 */
export function checked<Schema extends z.ZodType>(schema: Schema, data: unknown): Checked<z.output<Schema>> {
  // Where a schema has no words of its own for what it refuses, ours stand for those of its library.
  const parsed = schema.safeParse(data, { error: () => '' })
  return parsed.success ? { value: parsed.data } : { error: errorOf(parsed.error.issues, data) }
}

function errorOf(issues: readonly z.core.$ZodIssue[], data: unknown): ServiceError {
  const issue = deepest(issues)
  if (issue?.code === 'unrecognized_keys') {
    const param = paramOf([...issue.path, ...issue.keys.slice(0, 1)])
    return new ServiceError('unknown_parameter', `Unknown parameter: '${param}'.`, { param })
  }
  if (!issue || issue.path.length === 0)
    return new ServiceError('invalid_request', 'The request body must be a JSON object.')

  const param = paramOf(issue.path)
  const code = codeOf(issue)
  const words = wordsFor(issue, param, valueAt(data, issue.path))
  return new ServiceError(code, code === 'invalid_request' ? words : `'${param}' ${issue.message}.`, { param })
}

function codeOf(issue: z.core.$ZodIssue): ErrorCode {
  if (issue.code === 'invalid_type' && issue.expected === 'never') return 'unsupported_parameter'
  return (issue.code === 'custom' && (issue.params as IssueParams | undefined)?.code) || 'invalid_request'
}

/** In a union the member that read furthest is the one the client meant. */
function deepest(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue | undefined {
  let best: z.core.$ZodIssue | undefined
  for (const issue of issues) {
    const candidate = issue.code === 'invalid_union' ? inside(issue) : issue
    if (!best || candidate.path.length > best.path.length) best = candidate
  }
  return best
}

function inside(issue: z.core.$ZodIssueInvalidUnion): z.core.$ZodIssue {
  const found = deepest(issue.errors.flat())
  // A union whose members all refuse at the top says best itself what it takes.
  if (!found || found.path.length === 0) return issue
  return { ...found, path: [...issue.path, ...found.path] }
}

/** Keys are the client's own words, of any length: an answer repeats the beginning of each. */
const paramOf = (path: readonly PropertyKey[]): string =>
  path.map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i ? '.' : ''}${String(key).slice(0, 100)}`)).join('')
