import { setImmediate as nextTurn } from 'node:timers/promises'
import type { CompletionRequest, Message } from '@weir/contracts'

// Chat templates wrap each message in a handful of marker tokens, and some put a preamble of their own before all.
const TOKENS_PER_MESSAGE = 16
const TOKENS_PER_PART = 2
const TOKENS_PER_REQUEST = 128

/** Pieces are short because merging a piece of n letters without a space takes n² steps. */
const PIECE_CHARACTERS = 500
/** What follows is taken to be like what was counted. */
const COUNTED_CHARACTERS = 400_000
const LONGEST_TURN_MS = 5
/** Merged words the tokenizer remembers. Its own default would let hostile text hold a gigabyte. */
const MERGE_CACHE_WORDS = 2_000

/** Most vendors make a thousand tokens of an image, but gpt-4o-mini up to 48,169: 2,833 and 5,667 for each of 8 tiles. */
const TOKENS_PER_IMAGE = 50_000
const TOKENS_PER_IMAGE_IN_LOW_DETAIL = 3_000
/** Up to 32 tokens for each second of sound, and never under 1,000 bytes for each second. */
const BYTES_PER_AUDIO_TOKEN = 30
/** A file behind an address may be as long as a model can read. */
const TOKENS_PER_UNKNOWN_FILE = 1_000_000
/** A document is read as text and as pictures of its pages: 3,000 tokens for a page, which takes a kilobyte or more. */
const TOKENS_PER_DOCUMENT_CHARACTER = 3
const TOKENS_PER_DOCUMENT = 50_000
/** Who offers tools pays for what the vendor tells the model about tools in general. */
const TOKENS_FOR_TOOLS = 1_000

/**
 * No fewer input tokens than any byte-level BPE tokenizer finds. Each of its tokens stands for one byte of UTF-8 or
 * more, so there are never more tokens than bytes; marker tokens of the chat template are covered by a fixed allowance
 * per message and per request. Ordinary English has about a quarter of this. No tokenizer runs: this is the hot path.
 * What is no text is taken at the most that vendors make of it.
 */
export function inputTokenBound(request: Prompt): number {
  const bound = request.messages.reduce((sum, message) => sum + messageBound(message), TOKENS_PER_REQUEST)
  const described = describedIn(request)
  return described === undefined ? bound : bound + describedBound(described) + TOKENS_FOR_TOOLS
}

/** Some templates write what is not ASCII as \u4e2d: six characters for what takes two bytes or three. */
function describedBound(described: string): number {
  const bytes = Buffer.byteLength(described)
  return bytes === described.length ? bytes : 3 * bytes
}

/** All of a request that a model reads. */
export type Prompt = Pick<CompletionRequest, 'messages' | 'tools' | 'responseFormat'>

function messageBound(message: Message): number {
  const name = message.role === 'tool' ? message.callId : (message.name ?? '')
  const base = TOKENS_PER_MESSAGE + Buffer.byteLength(name)
  const { content } = message
  if (typeof content === 'string') return base + Buffer.byteLength(content)
  return content.reduce((sum, part) => sum + partBound(part) + TOKENS_PER_PART, base)
}

type Part = Exclude<Message['content'], string>[number]

function partBound(part: Part): number {
  switch (part.type) {
    case 'image':
      return part.detail === 'low' ? TOKENS_PER_IMAGE_IN_LOW_DETAIL : TOKENS_PER_IMAGE
    case 'audio':
      return Math.ceil((part.data.length * 3) / 4 / BYTES_PER_AUDIO_TOKEN)
    case 'file':
      return fileBound(part) + Buffer.byteLength(part.name ?? '')
    default:
      return Buffer.byteLength(textOfPart(part))
  }
}

function fileBound({ source }: Extract<Part, { type: 'file' }>): number {
  if (source.kind === 'url') return TOKENS_PER_UNKNOWN_FILE
  if (source.kind === 'text') return Buffer.byteLength(source.text)
  return source.data.length * TOKENS_PER_DOCUMENT_CHARACTER + TOKENS_PER_DOCUMENT
}

/** Ordinary text has about four bytes for each token; what is no text is taken at what is usual. */
const BYTES_PER_TOKEN = 4
const USUAL_TOKENS_PER_IMAGE = 1_000
const USUAL_TOKENS_PER_UNKNOWN_FILE = 20_000
/** A page of 50 KB makes 2,000 tokens. */
const DOCUMENT_CHARACTERS_PER_TOKEN = 32

/** About how many input tokens a request has, where neither money nor a limit of a model hangs on it. Nothing is counted. */
export function roughInputTokens(request: Prompt): number {
  const bound = request.messages.reduce((sum, message) => sum + roughTokens(message), 0)
  const described = describedIn(request)
  return Math.ceil(bound + (described === undefined ? 0 : described.length / BYTES_PER_TOKEN))
}

function roughTokens({ content }: Message): number {
  if (typeof content === 'string') return Buffer.byteLength(content) / BYTES_PER_TOKEN
  return content.reduce((sum, part) => sum + roughTokensOfPart(part), 0)
}

function roughTokensOfPart(part: Part): number {
  if (part.type === 'image') return USUAL_TOKENS_PER_IMAGE
  if (part.type !== 'file' || part.source.kind === 'text')
    return partBound(part) / (part.type === 'audio' ? 1 : BYTES_PER_TOKEN)
  if (part.source.kind === 'url') return USUAL_TOKENS_PER_UNKNOWN_FILE
  return part.source.data.length / DOCUMENT_CHARACTERS_PER_TOKEN
}

/** Tools and schemas are read as text by every model that takes them. */
function describedIn({ tools, responseFormat }: Prompt): string | undefined {
  if (!tools?.length && responseFormat === undefined) return undefined
  return JSON.stringify([tools, responseFormat])
}

/** What a part says in words, as far as we can read it. */
function textOfPart(part: Part): string {
  switch (part.type) {
    case 'tool_call':
      return `${part.id}${part.name}${part.arguments}`
    case 'redacted_reasoning':
      return part.data
    case 'file':
      return part.source.kind === 'text' ? part.source.text : ''
    case 'image':
    case 'audio':
      return ''
    default:
      return part.text
  }
}

/** How much more than o200k_base the tokenizers of other models find in ordinary text, at most. */
const TOKENIZER_MARGIN = 1.3

/**
 * A narrower bound, for a request that the account could not pay for by the first one: counted, with a margin for other
 * tokenizers. Never above the bound by bytes. It costs a few milliseconds for each 10,000 characters.
 */
export async function countedInputBound(request: Prompt): Promise<number> {
  const byBytes = inputTokenBound(request)
  const text = promptText(request)
  // What is no text, and what chat templates add, is in the bound and not in the text.
  const allowance = byBytes - Buffer.byteLength(text)
  return Math.min(byBytes, Math.ceil((await estimateTokens(text)) * TOKENIZER_MARGIN) + Math.max(allowance, 0))
}

/** Everything in a request that is read as text, as it is counted. */
export function promptText(request: Prompt): string {
  const described = describedIn(request)
  const said = request.messages.map(textOf).join('\n')
  return described === undefined ? said : `${said}\n${described}`
}

/** The text of a message, as it is counted. */
export function textOf({ content }: Message): string {
  return typeof content === 'string' ? content : content.map(textOfPart).join('')
}

/**
 * About how many tokens a text has, where no backend told: counted with o200k_base, which comes within some percent
 * of most models' own. Cutting the text into pieces adds one token in a hundred at most. Beyond 400,000 characters
 * the rest is extrapolated. The event loop gets a turn every few milliseconds. The first call loads the vocabulary.
 */
export async function estimateTokens(text: string): Promise<number> {
  if (text === '') return 0
  const countTokens = await tokenCounter()
  const counted = Math.min(text.length, COUNTED_CHARACTERS)

  let tokens = 0
  let turnBegan = performance.now()
  for (let from = 0; from < counted;) {
    const to = pieceEnd(text, from, counted)
    tokens += countTokens(text.slice(from, to))
    from = to
    if (performance.now() - turnBegan < LONGEST_TURN_MS) continue
    await nextTurn()
    turnBegan = performance.now()
  }
  return Math.ceil(tokens * (text.length / counted))
}

/** The end of the piece that begins at `from`: before a space if there is one, where tokenizers cut as well. */
function pieceEnd(text: string, from: number, limit: number): number {
  const end = from + PIECE_CHARACTERS
  if (end >= limit) return limit
  const space = text.lastIndexOf(' ', end)
  if (space > from) return space
  // A surrogate pair is one character; halves would count as two unknown ones.
  return isHighSurrogate(text.charCodeAt(end - 1)) ? end - 1 : end
}

const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdbff

let counter: Promise<(text: string) => number> | undefined

/** The vocabulary takes tens of megabytes, so only a process that needs it loads it. */
function tokenCounter(): Promise<(text: string) => number> {
  counter ??= import('gpt-tokenizer/encoding/o200k_base').then(({ countTokens, setMergeCacheSize }) => {
    setMergeCacheSize(MERGE_CACHE_WORDS)
    // An answer may spell out a special token; by default the tokenizer throws at it.
    return (text) => countTokens(text, { disallowedSpecial: new Set() })
  })
  return counter
}
