import { ServiceError } from '@weir/contracts'
import { TokenParser, TokenParserError, TokenType, Tokenizer, TokenizerError } from '@streamparser/json'

/** What a body is made of: one of its requests, or one of the fields beside them. */
export type Part = { kind: 'request'; index: number; value: unknown } | { kind: 'field'; name: string; value: unknown }

export type BodyBounds = {
  /** Of the whole body. */
  maxBytes: number
  /** Of one of its parts. */
  maxPartBytes: number
  /** Fields beside `requests`. */
  fields: readonly string[]
}

/** Strings are put together in pieces of this size. */
const STRING_BYTES = 65_536
/** Deeper than any request may be: what is nested without end would be kept in memory without end. */
const MAX_DEPTH = 128

/** The parts of a body as they come, each of them whole: of the body no more is ever held than one part and a chunk. */
export async function* partsOf(body: AsyncIterable<Uint8Array>, bounds: BodyBounds): AsyncGenerator<Part[]> {
  const parser = createPartParser(bounds.fields)
  let bytes = 0
  let sinceLast = 0
  for await (const chunk of whileItComes(body)) {
    bytes += chunk.length
    sinceLast += chunk.length
    if (bytes > bounds.maxBytes) throw bodyTooLarge(bounds.maxBytes)
    const parts = parser.write(chunk)
    if (parts.length > 0) {
      yield parts
      sinceLast = 0
    }
    if (sinceLast > bounds.maxPartBytes) throw partTooLarge(bounds.maxPartBytes)
  }
  parser.end()
}

function createPartParser(fields: readonly string[]) {
  const tokenizer = new Tokenizer({ stringBufferSize: STRING_BYTES })
  const tokens = new TokenParser({ paths: ['requests.*', ...fields].map((path) => `$.${path}`), keepStack: false })
  const outline = createOutline(['requests', ...fields])
  let parts: Part[] = []
  tokenizer.onToken = (token) => {
    outline(token)
    tokens.write(token)
  }
  tokens.onValue = ({ value, key, stack }) => {
    if (stack.length === 1) parts.push({ kind: 'field', name: String(key), value })
    else if (typeof key === 'number') parts.push({ kind: 'request', index: key, value })
    else throw new ServiceError('invalid_request', "'requests' must be a list.", { param: 'requests' })
  }

  return {
    write: (chunk: Uint8Array): Part[] => {
      parts = []
      asJson(() => tokenizer.write(chunk))
      return parts
    },
    end: () =>
      asJson(() => {
        tokenizer.end()
        if (!tokens.isEnded) throw new TokenParserError('ended early')
      }),
  }
}

type Token = { token: TokenType; value: unknown }

/** Sees to it that a body has known fields, each once, and no more depth than anybody needs. */
function createOutline(known: readonly string[]): (token: Token) => void {
  const seen = new Set<unknown>()
  let depth = 0
  let isKeyNext = false

  function take(name: unknown): void {
    const param = String(name).slice(0, 100)
    if (!known.includes(param)) throw new ServiceError('unknown_parameter', `Unknown parameter: '${param}'.`, { param })
    if (seen.has(name)) throw new ServiceError('invalid_request', `'${param}' is there twice.`, { param })
    seen.add(name)
  }

  return ({ token, value }) => {
    if (depth === 0 && token !== TokenType.LEFT_BRACE)
      throw new ServiceError('invalid_request', 'The request body must be a JSON object.')
    if (token === TokenType.LEFT_BRACE || token === TokenType.LEFT_BRACKET) depth += 1
    else if (token === TokenType.RIGHT_BRACE || token === TokenType.RIGHT_BRACKET) depth -= 1
    if (depth > MAX_DEPTH)
      throw new ServiceError('invalid_request', `The request is nested more than ${MAX_DEPTH} levels deep.`)
    if (depth !== 1) return
    if (isKeyNext && token === TokenType.STRING) take(value)
    isKeyNext = token === TokenType.COMMA || (token === TokenType.LEFT_BRACE && seen.size === 0)
  }
}

function asJson(act: () => void): void {
  try {
    act()
  } catch (error) {
    if (!(error instanceof TokenizerError || error instanceof TokenParserError)) throw error
    throw new ServiceError('invalid_request', 'The request body is not valid JSON.', { cause: error })
  }
}

/** A body that breaks off is its sender's doing. */
async function* whileItComes(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (error) {
    throw new ServiceError('invalid_request', 'The request body is not whole: its connection broke off.', {
      cause: error,
    })
  }
}

export const bodyTooLarge = (most: number) =>
  new ServiceError('request_too_large', `The request body is too large: it may have ${most} bytes. Split the batch.`)

const partTooLarge = (most: number) =>
  new ServiceError('request_too_large', `One of the requests is too large: it may have ${most} bytes.`, {
    param: 'requests',
  })
