import ret, { type tokenizer, types } from 'ret'
import type { Dice } from './simulated-dice.ts'
import type { Shape } from './simulated-schema.ts'

// The module is the function; its types look for it under a name.
const read = ret as unknown as typeof tokenizer

type Token = Exclude<ReturnType<typeof tokenizer>['stack'], undefined>[number]
type SetToken = Extract<Token, { type: types.SET }>['set'][number]

/** Patterns come from clients. Nothing here runs one: it is read, and written out in so many steps at most. */
const LONGEST_PATTERN = 500
const LONGEST_TEXT = 1_024
const MOST_STEPS = 20_000
const MOST_TRIES = 16

/** A pattern says something that only running it could find out, or more than is written here. */
class NotWritten extends Error {
  override name = 'NotWritten'
}

/** A text of the length that a shape allows which matches a pattern; undefined where this is not found out easily. */
export function textLike(
  pattern: string,
  { minLength, maxLength }: Pick<Shape, 'minLength' | 'maxLength'>,
  dice: Dice,
): string | undefined {
  // Properties of characters (`\p{L}`) are read as letters by the library.
  if (pattern.length > LONGEST_PATTERN || /\\[pPk]/.test(pattern)) return undefined
  try {
    const root = read(pattern)
    const writing: Writing = { dice, stepsLeft: MOST_STEPS, text: '', isEnded: false, repeated: 0 }
    // How often more than it must something is repeated: as often as it takes until the text is long enough.
    let repeated = 1
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      Object.assign(writing, { text: '', isEnded: false, repeated })
      writeOneOf(root, writing)
      const { length } = writing.text
      if (length >= minLength && length <= maxLength) return writing.text
      repeated = length > maxLength ? 0 : Math.ceil(((repeated + 1) * minLength) / Math.max(1, length))
    }
  } catch {
    // What the library cannot read, or we do not write.
  }
  return undefined
}

type Writing = { dice: Dice; stepsLeft: number; text: string; isEnded: boolean; repeated: number }

function writeOneOf({ stack, options }: { stack?: Token[]; options?: Token[][] }, writing: Writing): void {
  const tokens = stack ?? options?.[writing.dice(options.length)] ?? []
  for (const token of tokens) write(token, writing)
}

function write(token: Token, writing: Writing): void {
  writing.stepsLeft -= 1
  if (writing.stepsLeft < 0 || writing.text.length > LONGEST_TEXT) throw new NotWritten('too long')
  switch (token.type) {
    case types.CHAR:
      return writeCode(token.value, writing)
    case types.SET:
      return writeCode(token.not ? codeOutside(token.set, writing.dice) : codeOf(token.set, writing.dice), writing)
    case types.REPETITION: {
      const count = Math.min(token.max, token.min + writing.repeated)
      for (let written = 0; written < count; written += 1) write(token.value, writing)
      return
    }
    case types.GROUP:
      if (token.followedBy || token.notFollowedBy || token.lookBehind) throw new NotWritten('looks around')
      return writeOneOf(token, writing)
    case types.POSITION:
      if (token.value === '$') writing.isEnded = true
      else if (token.value !== '^' || writing.text !== '') throw new NotWritten('looks around')
      return
    default:
      throw new NotWritten('refers to what was found')
  }
}

function writeCode(code: number, writing: Writing): void {
  if (writing.isEnded) throw new NotWritten('goes on after its end')
  writing.text += String.fromCharCode(code)
}

function codeOf(set: SetToken[], dice: Dice): number {
  const token = set[dice(set.length || 1)]
  switch (token?.type) {
    case types.CHAR:
      return token.value
    case types.RANGE:
      return token.from + dice(token.to - token.from + 1)
    case types.SET:
      return token.not ? codeOutside(token.set, dice) : codeOf(token.set, dice)
    default:
      throw new NotWritten('an empty set')
  }
}

const LETTERS = Array.from({ length: 26 }, (_, index) => 0x61 + index)
const PRINTABLE = Array.from({ length: 0x7f - 0x20 }, (_, index) => 0x20 + index)

/** A small letter, if one is left. */
function codeOutside(set: SetToken[], dice: Dice): number {
  for (const codes of [LETTERS, PRINTABLE]) {
    const left = codes.filter((code) => !set.some((token) => includes(token, code)))
    if (left.length > 0) return left[dice(left.length)]!
  }
  throw new NotWritten('nothing that can be printed')
}

function includes(token: SetToken, code: number): boolean {
  switch (token.type) {
    case types.CHAR:
      return token.value === code
    case types.RANGE:
      return token.from <= code && code <= token.to
    default:
      return token.set.some((inner) => includes(inner, code)) !== token.not
  }
}
