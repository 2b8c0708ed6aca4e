import { z } from 'zod'

/** The part of a JSON schema that says what a value must be. */
type Node = z.core.JSONSchema._JSONSchema

/**
 * What a schema refuses, in words for whoever wrote the value: they go on after its name, and never repeat the value, which
 * may be a secret. To be given to a parse as its `error`; where a schema has words of its own, those stand.
 */
export function plainWords(schema: z.ZodType): z.core.$ZodErrorMap {
  let root: Node | undefined
  return (issue) => {
    if (issue.input === undefined) return 'is missing'
    root ??= nodeOf(schema)
    const words = expected(nodeAt(root, issue.path ?? []), issue.code === 'invalid_type')
    return words === undefined ? wordsOfIssue(issue) : `must be ${words}`
  }
}

/** The names of the fields that a schema knows at a path. */
export const fieldsAt = (schema: z.ZodType, path: readonly PropertyKey[]): string[] =>
  fieldsOf(nodeAt(nodeOf(schema), path))

function fieldsOf(node: Node | undefined): string[] {
  if (typeof node !== 'object') return []
  return [...Object.keys(node.properties ?? {}), ...[...(node.anyOf ?? []), ...(node.oneOf ?? [])].flatMap(fieldsOf)]
}

const nodeOf = (schema: z.ZodType): Node => z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })

function nodeAt(root: Node, path: readonly PropertyKey[]): Node | undefined {
  let node: Node | undefined = root
  for (const step of path) node = node && stepInto(node, step)
  return node
}

function stepInto(node: Node, step: PropertyKey): Node | undefined {
  if (typeof node === 'boolean') return undefined
  const { properties = {}, additionalProperties, items, anyOf = [], oneOf = [] } = node
  const name = String(step)
  const next =
    typeof step === 'number' ? items : Object.hasOwn(properties, name) ? properties[name] : additionalProperties
  if (typeof next === 'object' && !Array.isArray(next)) return next
  for (const branch of [...anyOf, ...oneOf]) {
    const found = stepInto(branch, step)
    if (found) return found
  }
  return undefined
}

/** What has to stand there; undefined where the schema does not tell. `isOtherType`: not even text stands there. */
function expected(node: Node | undefined, isOtherType: boolean): string | undefined {
  if (typeof node !== 'object') return undefined
  if (node.const !== undefined) return String(node.const)
  if (node.enum) return `one of: ${node.enum.join(', ')}`
  const branches = node.anyOf ?? node.oneOf
  if (branches) return branches.map((branch) => expected(branch, isOtherType) ?? 'anything else').join(', or ')
  switch (node.type) {
    case 'integer':
      return `a whole number${rangeOf(node, 1)}`
    case 'number':
      return `a number${rangeOf(node, 0)}`
    case 'boolean':
      return 'true or false'
    case 'string':
      return textOf(node, isOtherType)
    case 'array':
      return node.minItems ? 'a list, and not an empty one' : 'a list'
    case 'object':
      return node.properties ? `a map of: ${Object.keys(node.properties).join(', ')}` : 'a map of names'
    default:
      return undefined
  }
}

type Limited = Exclude<Node, boolean>

/** Whole numbers beyond what JavaScript counts exactly are no limit that anybody has set. */
const isSet = (limit: unknown): limit is number =>
  typeof limit === 'number' && Math.abs(limit) < Number.MAX_SAFE_INTEGER

/** `step` is from an exclusive limit to the first number within it; 0 where there is no first one. */
function rangeOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Limited, step: 0 | 1): string {
  const [above, below] = [exclusiveMinimum, exclusiveMaximum].map((limit) => (isSet(limit) ? limit : undefined))
  const least = isSet(minimum) ? minimum : above !== undefined && step ? above + step : undefined
  const most = isSet(maximum) ? maximum : below !== undefined && step ? below - step : undefined
  if (least !== undefined && most !== undefined) return ` from ${least} to ${most}`
  const limits = [
    least !== undefined ? `at least ${least}` : above !== undefined ? `above ${above}` : '',
    most !== undefined ? `at most ${most}` : below !== undefined ? `below ${below}` : '',
  ].filter((limit) => limit !== '')
  return limits.length === 0 ? '' : `, ${limits.join(' and ')}`
}

function textOf({ format, pattern, minLength, maxLength }: Limited, isOtherType: boolean): string | undefined {
  if (format === 'uri') return 'a URL'
  if (minLength && maxLength) return `text of ${minLength} to ${maxLength} characters`
  if (minLength) return minLength === 1 ? 'text, and not an empty one' : `text of at least ${minLength} characters`
  if (maxLength) return `text of at most ${maxLength} characters`
  // Its schema has words of its own for what the pattern says.
  return isOtherType || pattern === undefined || format !== undefined ? 'text' : 'text of another form'
}

/** For what a schema makes of a value before it looks at it: that is not what was written. */
function wordsOfIssue(issue: z.core.$ZodRawIssue): string {
  if (issue.code !== 'invalid_value') return 'is not what is expected here'
  return `must be one of: ${(issue['values'] as unknown[]).join(', ')}`
}
