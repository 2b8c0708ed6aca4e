import { ServiceError } from '@weir/contracts'
import type { BodyShare } from '../../http/body-room.ts'
import { type Part, createPartCutter } from './part-cutter.ts'

export type BodyBounds = {
  /** Of the whole body. */
  maxBytes: number
  /** Of one of its parts. */
  maxPartBytes: number
  /** Fields beside `requests`. */
  fields: readonly string[]
}

/**
 * The parts of a body as they come, each of them whole: of the body no more is ever held than one part and a chunk, and that
 * only as long as there is room for it.
 */
export async function* partsOf(
  body: AsyncIterable<Uint8Array>,
  { maxBytes, maxPartBytes, fields }: BodyBounds,
  share: BodyShare,
): AsyncGenerator<Part> {
  const cutter = createPartCutter(fields, maxPartBytes)
  let bytes = 0
  for await (const chunk of whileItComes(body)) {
    bytes += chunk.length
    if (bytes > maxBytes) throw bodyTooLarge(maxBytes)
    // What it held before lives on in the first part that ends here.
    const { heldBytes } = cutter
    const parts = cutter.write(chunk)
    share.hold(parts.length > 0 ? heldBytes + cutter.heldBytes : cutter.heldBytes)
    if (parts.length === 0) continue
    yield* parts.splice(0)
    share.hold(cutter.heldBytes)
  }
  cutter.end()
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
