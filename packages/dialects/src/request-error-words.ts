import type { z } from 'zod'

/** What was sent at a path; undefined where nothing was. */
export function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  let value = data
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Record<PropertyKey, unknown>)[key]
  }
  return value
}

/** A sentence for a value that a schema refused: in the schema's own words, where it has some, else in those of OpenAI. */
export function wordsFor(issue: z.core.$ZodIssue, param: string, value: unknown): string {
  if (value === undefined && isOfOne(issue)) return `Missing required parameter: '${param}'.`
  // What is chosen by a field of an object says which of them there are, not that it must be an object.
  const isNoObject = issue.code === 'invalid_type' && issue.expected === 'object'
  if (issue.message !== '' && !isNoObject) return `Invalid '${param}': ${ruleOf(issue)}.`
  switch (issue.code) {
    case 'invalid_type':
      return `Invalid type for '${param}': expected ${typeName(issue.expected)}, but got ${nameOf(value)} instead.`
    case 'invalid_key':
      return `Invalid '${param}': its name ${ruleOf(issue.issues[0])}.`
    default: {
      const choices = choicesOf(issue)
      return choices.length > 0 ? supported(param, choices) : `Invalid '${param}': ${ruleOf(issue)}.`
    }
  }
}

/** Others compare several fields, of which this one may rightly be absent. */
const isOfOne = ({ code }: z.core.$ZodIssue): boolean =>
  code === 'invalid_type' || code === 'invalid_value' || code === 'invalid_union'

/** What is allowed where little is. Those of the field that a union goes by are told by its library, and not declared. */
function choicesOf(issue: z.core.$ZodIssue): readonly unknown[] {
  if (issue.code === 'invalid_value') return issue.values
  return 'options' in issue && Array.isArray(issue.options) ? issue.options : []
}

const typeNames: Record<string, string> = {
  string: 'a string',
  number: 'a number',
  int: 'an integer',
  boolean: 'a boolean',
  array: 'an array',
  object: 'an object',
  record: 'an object',
}

const typeName = (expected: string): string => typeNames[expected] ?? expected

function nameOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a decimal'
  return typeName(typeof value)
}

function supported(param: string, values: readonly unknown[]): string {
  const quoted = values.map((value) => (typeof value === 'string' ? `'${value}'` : String(value)))
  if (quoted.length < 2) return `Invalid value for '${param}': only ${quoted.join('')} is supported.`
  return `Invalid value for '${param}': supported values are ${quoted.slice(0, -1).join(', ')} and ${quoted.at(-1)}.`
}

/** What a value must keep to, to go on after its name. */
function ruleOf(issue: z.core.$ZodIssue | undefined): string {
  if (issue?.message) return issue.message
  if (issue?.code === 'too_small') return `must ${atLeast(issue)}`
  return issue?.code === 'too_big' ? `must ${atMost(issue)}` : 'has not the form that is needed'
}

type Small = Extract<z.core.$ZodIssue, { code: 'too_small' }>
type Big = Extract<z.core.$ZodIssue, { code: 'too_big' }>

function atLeast({ origin, minimum, inclusive }: Small): string {
  const unit = unitOf(origin)
  if (unit && minimum === 1) return 'not be empty'
  if (unit) return `have at least ${minimum} ${unit}`
  return inclusive === false ? `be more than ${minimum}` : `be at least ${minimum}`
}

function atMost({ origin, maximum, inclusive }: Big): string {
  const unit = unitOf(origin)
  if (unit) return `have at most ${maximum} ${unit}`
  return inclusive === false ? `be less than ${maximum}` : `be at most ${maximum}`
}

function unitOf(origin: string): string | undefined {
  if (origin === 'string') return 'characters'
  return origin === 'array' ? 'items' : undefined
}
