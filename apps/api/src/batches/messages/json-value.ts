import { ServiceError } from '@weir/contracts'

/** Deeper than any request may be, and with the object around it. */
const MAX_DEPTH = 66
/** As many as the validation of a request allows: a few bytes of text are a hundred times that once they are parsed. */
const MAX_VALUES = 200_000
/** Of a number, or of what stands where one may. */
const MAX_WORD = 400

const [QUOTE, BACKSLASH, SPACE, COMMA, COLON] = [0x22, 0x5c, 0x20, 0x2c, 0x3a]
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d]
const [TAB, NEWLINE, RETURN] = [0x09, 0x0a, 0x0d]

export const isSpace = (byte: number): boolean => byte === SPACE || byte === NEWLINE || byte === RETURN || byte === TAB

export type JsonScan = {
  /** Where the value ends in this piece, or -1 where it goes on in the next. Line ends in it, which say nothing, become spaces. */
  read(piece: Uint8Array, from: number): number
  /** How many members it has, if it has any. */
  readonly members: number
  /** Where in its text the last list or object lies that is one of its members. */
  readonly inner: { start: number; end: number }
}

/**
 * Finds the end of one JSON value by its quotes and brackets, piece by piece, and refuses what would take far more memory
 * once it is parsed. Whether it is JSON is for the parser to say.
 */
export function createJsonScan(): JsonScan {
  let [depth, values, members, word, before] = [0, 0, 1, 0, 0]
  let [isInText, isEscaped] = [false, false]
  let last = 0
  const inner = { start: 0, end: 0 }

  /** Behind the quote that ends it, or behind the piece. */
  function behindText(piece: Uint8Array, from: number): number {
    for (let at = from; at < piece.length; at += 1) {
      const byte = piece[at]
      if (isEscaped) isEscaped = false
      else if (byte === BACKSLASH) isEscaped = true
      else if (byte === QUOTE) {
        isInText = false
        return at + 1
      }
    }
    return piece.length
  }

  function count(): void {
    values += 1
    if (values > MAX_VALUES) throw tooManyValues()
  }

  function open(at: number): void {
    count()
    depth += 1
    if (depth > MAX_DEPTH) throw tooDeep()
    if (depth === 2) inner.start = at
  }

  function close(at: number): void {
    // What is empty holds no value.
    if (last === OPEN_LIST || last === OPEN_OBJECT) values -= 1
    depth -= 1
    if (depth === 1) inner.end = at + 1
  }

  /** What is neither space nor text. */
  function take(byte: number, at: number): void {
    word = byte === COMMA || byte === COLON ? 0 : word + 1
    if (byte === COMMA) {
      count()
      if (depth === 1) members += 1
    } else if (byte === OPEN_LIST || byte === OPEN_OBJECT) open(at)
    else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) close(at)
    else if (word > MAX_WORD) throw tooLongANumber()
    if (byte === QUOTE) isInText = true
    last = byte
  }

  function read(piece: Uint8Array, from: number): number {
    const offset = before - from
    for (let at = from; at < piece.length;) {
      if (isInText) {
        at = behindText(piece, at)
        if (!isInText && depth === 0) return at
        continue
      }
      const byte = piece[at]!
      if (depth === 0 && endsWord(byte)) return at
      if (!isSpace(byte)) take(byte, at + offset)
      else {
        piece[at] = SPACE
        word = 0
      }
      at += 1
      if (depth === 0 && (byte === CLOSE_LIST || byte === CLOSE_OBJECT)) return at
    }
    before += piece.length - from
    return -1
  }

  return {
    read,
    inner,
    get members() {
      return members
    },
  }
}

const endsWord = (byte: number): boolean =>
  byte === COMMA || byte === CLOSE_LIST || byte === CLOSE_OBJECT || isSpace(byte)

const tooDeep = () =>
  new ServiceError('invalid_request', `One of the requests is nested more than ${MAX_DEPTH - 2} levels deep.`, of)

const tooManyValues = () =>
  new ServiceError('invalid_request', `One of the requests has more than ${MAX_VALUES} values.`, of)

const tooLongANumber = () =>
  new ServiceError('invalid_request', `One of the requests has a number of more than ${MAX_WORD} characters.`, of)

const of = { param: 'requests' }
