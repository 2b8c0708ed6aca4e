import { type ErrorCode, ServiceError } from '@weir/contracts'
import { z } from 'zod'

/**
 * A field that we know and do not take. Its message goes on after the field's name, `is not supported: …`. Null is the
 * same as leaving it out.
 */
export const unsupported = (message: string) => z.never({ error: message }).nullish()

/** What `params` of a custom issue may say: the code of the error, where it is not `invalid_request`. */
export type IssueParams = { code: ErrorCode }

/**
 * The 400 for a body that a schema refused. It names the field that is wrong as a client would write it
 * (`messages[0].content`) and tells a misspelt field from one we know and do not support.
 */
export function requestErrorOf(issues: readonly z.core.$ZodIssue[]): ServiceError {
  const issue = deepest(issues)
  if (!issue) return new ServiceError('invalid_request', 'The request body is not valid.')

  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? ''
    const param = paramOf([...issue.path, key])
    return new ServiceError('unknown_parameter', `Unknown parameter: '${param}'.`, { param })
  }
  const param = paramOf(issue.path)
  const code = codeOf(issue)
  if (code !== 'invalid_request') return new ServiceError(code, `'${param}' ${issue.message}.`, { param })
  return param
    ? new ServiceError('invalid_request', `Invalid '${param}': ${issue.message}`, { param })
    : new ServiceError('invalid_request', `The request body is not valid: ${issue.message}`)
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
