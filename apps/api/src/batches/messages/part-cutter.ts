import { ServiceError } from '@weir/contracts'
import secureJson from 'secure-json-parse'
import { createHeldText } from './held-text.ts'
import { type JsonScan, createJsonScan, isSpace } from './json-value.ts'

/** What a body is made of, as it was written: one of its requests, or one of the fields beside them. */
export type Part =
  | { kind: 'request'; index: number; json: Uint8Array; members: number; inner: { start: number; end: number } }
  | { kind: 'field'; name: string; json: Uint8Array }

export type PartCutter = {
  /** The parts that end in this piece. */
  write(piece: Uint8Array): Part[]
  /** Rejects a body that has not come to its end. */
  end(): void
  /** What the part that has begun takes of the memory. */
  readonly heldBytes: number
}

/** What may come next, besides space. */
type Next =
  | 'body'
  | 'first name'
  | 'name'
  | 'colon'
  | 'field'
  | 'first request'
  | 'request'
  | 'behind request'
  | 'behind field'
  | 'nothing'

/** Cuts `{"requests": […], …}` into its parts. Whether each is JSON is seen by whoever parses it. */
export function createPartCutter(fields: readonly string[], mostBytes: number): PartCutter {
  const held = createHeldText(mostBytes)
  const seen = new Set<string>()
  let [next, name, index]: [Next, string, number] = ['body', '', 0]
  let scan: JsonScan | undefined

  /** Whether a value begins with this byte; otherwise it was one of the marks between them. */
  function begins(byte: number): boolean {
    const mark = String.fromCharCode(byte)
    if (next === 'body' && mark !== '{') throw invalid('The request body must be a JSON object.')
    if (next === 'field' && name === 'requests' && mark !== '[')
      throw invalid("'requests' must be a list of one or more.", 'requests')
    const after = marks[next]?.[mark]
    if (next === 'field' && name !== 'requests') return true
    if (after !== undefined) {
      next = after
      return false
    }
    if (next === 'request' || next === 'first request') return true
    if ((next === 'name' || next === 'first name') && mark === '"') return true
    throw notJson()
  }

  function takeName(json: Uint8Array): void {
    const given = String(parsedJson(json))
    const param = given.slice(0, 100)
    if (given !== 'requests' && !fields.includes(given))
      throw new ServiceError('unknown_parameter', `Unknown parameter: '${param}'.`, { param })
    if (seen.has(given)) throw invalid(`'${param}' is there twice.`, param)
    seen.add(given)
    name = given
    next = 'colon'
  }

  function ended(json: Uint8Array, { members, inner }: JsonScan): Part[] {
    if (next === 'name' || next === 'first name') {
      takeName(json)
      return []
    }
    if (next === 'field') {
      next = 'behind field'
      return [{ kind: 'field', name, json }]
    }
    next = 'behind request'
    return [{ kind: 'request', index: index++, json, members, inner }]
  }

  function write(piece: Uint8Array): Part[] {
    const parts: Part[] = []
    for (let at = 0; at < piece.length;) {
      if (scan === undefined) {
        const byte = piece[at]!
        if (isSpace(byte) || !begins(byte)) {
          at += 1
          continue
        }
        scan = createJsonScan()
      }
      const end = scan.read(piece, at)
      const text = piece.subarray(at, end === -1 ? piece.length : end)
      if (held.length + text.length > mostBytes) throw partTooLarge(mostBytes)
      if (end === -1) {
        held.add(text)
        return parts
      }
      parts.push(...ended(held.end(text), scan))
      scan = undefined
      at = end
    }
    return parts
  }

  return {
    write,
    end() {
      if (next !== 'nothing') throw notJson()
    },
    get heldBytes() {
      return held.bytes
    },
  }
}

/** What each of them makes come next. */
const marks: Partial<Record<Next, Partial<Record<string, Next>>>> = {
  body: { '{': 'first name' },
  'first name': { '}': 'nothing' },
  colon: { ':': 'field' },
  field: { '[': 'first request' },
  'first request': { ']': 'behind field' },
  'behind request': { ',': 'request', ']': 'behind field' },
  'behind field': { ',': 'name', '}': 'nothing' },
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** What pollutes prototypes is refused, as it is in the body of a request. */
export function parsedJson(json: Uint8Array): unknown {
  try {
    return secureJson.parse(decoder.decode(json))
  } catch (error) {
    throw notJson(error)
  }
}

const invalid = (message: string, param?: string) =>
  new ServiceError('invalid_request', message, param === undefined ? {} : { param })

const notJson = (cause?: unknown) =>
  new ServiceError('invalid_request', 'The request body is not valid JSON.', { cause })

export const partTooLarge = (most: number) =>
  new ServiceError('request_too_large', `One of the requests is too large: it may have ${most} bytes.`, {
    param: 'requests',
  })
