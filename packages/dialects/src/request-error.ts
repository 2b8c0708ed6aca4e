import { ServiceError } from '@weir/contracts'
import type { z } from 'zod'

/**
 * The 400 for a body that a schema refused. It names the field that is wrong as a client would write it
 * (`messages[0].content`) and tells a misspelt field from one we know and do not support.
 */
export function requestErrorOf(
  issues: readonly z.core.$ZodIssue[],
  unsupported: ReadonlySet<string> = new Set(),
): ServiceError {
  const issue = deepest(issues)
  if (!issue) return new ServiceError('invalid_request', 'The request body is not valid.')

  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? ''
    const param = paramOf([...issue.path, key])
    return issue.path.length === 0 && unsupported.has(key)
      ? new ServiceError('unsupported_parameter', `'${param}' is not supported.`, { param })
      : new ServiceError('unknown_parameter', `Unknown parameter: '${param}'.`, { param })
  }
  const param = paramOf(issue.path)
  return param
    ? new ServiceError('invalid_request', `Invalid '${param}': ${issue.message}`, { param })
    : new ServiceError('invalid_request', `The request body is not valid: ${issue.message}`)
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

const paramOf = (path: readonly PropertyKey[]): string =>
  path.map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i ? '.' : ''}${String(key)}`)).join('')
