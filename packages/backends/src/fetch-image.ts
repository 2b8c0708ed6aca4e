import { type Refusal, guardedFetch } from '@weir/outbound'
import { mediaTypeOf } from './media-type.ts'

export type FetchedImage = { kind: 'image'; mediaType: string; data: string }

/** What `budget` holds is shared by all that one request has fetched. */
export type FetchImage = (
  url: string,
  budget: { bytes: number },
  signal: AbortSignal,
) => Promise<FetchedImage | Pick<Refusal, 'kind' | 'sentence'>>

export type FetchImageOptions = {
  /** Whether servers on the operator's own networks may be asked. */
  privateAddresses: boolean
  timeoutMs: number
}

const OK = 200

/** Fetches what a tenant has named, through the guard. What it is shows its first bytes, whatever its server says. */
export function createFetchImage({ privateAddresses, timeoutMs }: FetchImageOptions): FetchImage {
  const addresses = privateAddresses ? 'private_too' : 'public'
  return async (url, budget, signal) => {
    const answer = await guardedFetch(url, { addresses, maxBytes: budget.bytes, budget, timeoutMs, signal })
    if (answer.kind === 'refused') return answer
    const { status, body } = answer
    if (status >= 300 && status < 400) return refused('leads on to another address; name that one instead')
    if (status !== OK) return refused('was not handed out by its server')
    const mediaType = mediaTypeOf(body)
    if (mediaType === undefined) return refused('is not an image (PNG, JPEG, GIF or WebP) nor a PDF')
    return { kind: 'image', mediaType, data: Buffer.from(body.buffer, body.byteOffset, body.length).toString('base64') }
  }
}

const refused = (sentence: string) => ({ kind: 'refused' as const, sentence })
