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

/** Arguments as they are written. `isWhole`: they are an object, and nothing but space follows it. */
export type WrittenInput = { add(text: string): void; readonly isWhole: boolean }

/**
 * Follows the arguments of a call to their end. Each character is looked at once, for a model may write a million in
 * pieces of one; they are parsed once, where their brackets first close.
 */
export function createWrittenInput(): WrittenInput {
  let written = ''
  let state: 'before' | 'within' | 'whole' | 'no object' = 'before'
  let depth = 0
  let isInString = false
  let isEscaped = false

  function look(character: string): void {
    if (isEscaped) isEscaped = false
    else if (isInString) {
      if (character === '\\') isEscaped = true
      else if (character === '"') isInString = false
    } else if (character === '"') isInString = true
    else if (character === '{' || character === '[') depth += 1
    else if (character === '}' || character === ']') depth -= 1
  }

  return {
    add(text) {
      if (state === 'before' || state === 'within') written += text
      for (let at = 0; at < text.length && state !== 'no object'; at++) {
        const character = text.charAt(at)
        if (state !== 'within') {
          if (isSpace(character)) continue
          state = state === 'before' && character === '{' ? 'within' : 'no object'
        }
        look(character)
        if (state !== 'within' || depth > 0) continue
        // What follows is looked at in its turn, so what is parsed ends here.
        const end = written.length - text.length + at + 1
        state = parsedObject(written.slice(0, end)) ? 'whole' : 'no object'
        written = ''
      }
    },
    get isWhole() {
      return state === 'whole'
    },
  }
}

/** What JSON takes for space. */
const isSpace = (character: string): boolean => ' \t\n\r'.includes(character)

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
