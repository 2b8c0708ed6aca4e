import type { JsonObject } from '@weir/contracts'

/** Where the vendor's own documentation puts arguments that are not JSON, so that they can be sent back as an object. */
const INVALID_JSON = 'INVALID_JSON'

/**
 * The arguments of a call as the object that this dialect wants. What the model has not written as one, say because it
 * ran out of tokens, is told as it is, under a key of its own: `{}` would look like a call without arguments.
 */
export function inputOf(text: string): JsonObject {
  if (text.trim() === '') return {}
  return parsedObject(text) ?? { [INVALID_JSON]: text }
}

/** The text of the arguments. What `inputOf` has wrapped comes out as it was. */
export function argumentsOf(input: unknown): string {
  const object = isObject(input) ? input : {}
  const invalid = object[INVALID_JSON]
  const isWrapped = typeof invalid === 'string' && Object.keys(object).length === 1 && !parsedObject(invalid)
  return isWrapped ? invalid : JSON.stringify(object)
}

/** Whether the arguments are whole. Looks closely only at what can be an object. */
export const isWhole = (text: string): boolean => text.trimEnd().endsWith('}') && parsedObject(text) !== undefined

function parsedObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
