import { type CompletionRequest, type Message, ServiceError, type Source } from '@weir/contracts'
import type { FetchImage, FetchedImage } from './fetch-image.ts'
import { isImage } from './media-type.ts'

type Part = Exclude<Message['content'], string>[number]
type UrlPart = Extract<Part, { type: 'image' | 'file' }> & { source: Extract<Source, { kind: 'url' }> }
type Named = { url: string; param: string; wantsImage: boolean }
type Context = { fetchImage: FetchImage; budget: { bytes: number }; signal: AbortSignal }

const AT_ONCE = 16
const MOST_ADDRESSES = 100

export type InlineDeps = {
  fetchImage: FetchImage
  /** What all the images of one request may weigh together. */
  maxBytes: number
}

/**
 * The request with its images and files themselves where it had their addresses, for a backend that fetches none. Each
 * address is asked once. What cannot be had is a 400 that names the part; the rest is not fetched any more.
 */
export async function inlineImages(
  request: CompletionRequest,
  { fetchImage, maxBytes }: InlineDeps,
  signal: AbortSignal,
): Promise<CompletionRequest> {
  const named = addressesIn(request.messages)
  if (named.size === 0) return request
  if (named.size > MOST_ADDRESSES) {
    throw new ServiceError('invalid_request', `A request may name at most ${MOST_ADDRESSES} images by address.`, {
      param: 'messages',
    })
  }

  const ending = new AbortController()
  const context = { fetchImage, budget: { bytes: maxBytes }, signal: AbortSignal.any([signal, ending.signal]) }
  try {
    const fetched = await fetchAll([...named.values()], context)
    return { ...request, messages: request.messages.map((message) => withInlined(message, fetched)) }
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    ending.abort()
  }
}

function addressesIn(messages: readonly Message[]): Map<string, Named> {
  const named = new Map<string, Named>()
  for (const [at, { content }] of messages.entries()) {
    if (typeof content === 'string') continue
    for (const [index, part] of content.entries()) {
      if (!isByUrl(part)) continue
      const { url } = part.source
      // What is a document in one place cannot be an image in another.
      if (named.has(url) && part.type === 'file') continue
      named.set(url, { url, param: `messages[${at}].content[${index}]`, wantsImage: part.type === 'image' })
    }
  }
  return named
}

const isByUrl = (part: Part): part is UrlPart =>
  (part.type === 'image' || part.type === 'file') && part.source.kind === 'url'

/** As many at once as may be; each that ends makes room for the next. */
async function fetchAll(named: readonly Named[], context: Context): Promise<Map<string, FetchedImage>> {
  const fetched = new Map<string, FetchedImage>()
  const waiting = named.values()
  const fetchOnAndOn = async () => {
    for (const one of waiting) fetched.set(one.url, await fetchOne(one, context))
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, named.length) }, fetchOnAndOn))
  return fetched
}

async function fetchOne({ url, param, wantsImage }: Named, context: Context): Promise<FetchedImage> {
  const answer = await context.fetchImage(url, context.budget, context.signal)
  if (answer.kind === 'refused') throw unusable(param, answer.sentence)
  if (wantsImage && !isImage(answer.mediaType)) throw unusable(param, 'is not an image (PNG, JPEG, GIF or WebP)')
  return answer
}

const unusable = (param: string, sentence: string): ServiceError =>
  new ServiceError('invalid_request', `What '${param}' names by its address ${sentence}.`, { param })

function withInlined(message: Message, fetched: ReadonlyMap<string, FetchedImage>): Message {
  const { content } = message
  if (typeof content === 'string' || !content.some(isByUrl)) return message
  const parts = content.map((part) => {
    const image = isByUrl(part) ? fetched.get(part.source.url) : undefined
    if (!image) return part
    return { ...part, source: { kind: 'base64' as const, mediaType: image.mediaType, data: image.data } }
  })
  // The parts are those of this very message, and stay of their types.
  return { ...message, content: parts } as Message
}
