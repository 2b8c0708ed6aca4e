import { ServiceError } from '@weir/contracts'
import type { FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify'

declare module 'fastify' {
  interface FastifyRequest {
    /** Its body is no longer held: what waits for an answer needs no room for its question. */
    bodyIsDone?: () => void
  }
}

export type BodyRoom = { readonly taken: number; forBody: onRequestAsyncHookHandler; share(): BodyShare }

/** The room of a body that is never held as a whole: so many bytes now, instead of those before. */
export type BodyShare = Disposable & { hold(bytes: number): void }

/** Smaller ones are so many that counting them would cost more than it saves, and are bounded by their number. */
const SMALL_BYTES = 131_072

/**
 * Large bodies share this much memory, from their first byte until they are in Postgres: a body is read, parsed and written
 * again, and takes three times its size. More get a 503 at once, before anything of them is read. The first is always let
 * in.
 */
export function createBodyRoom({ roomBytes, limitBytes }: { roomBytes: number; limitBytes: number }): BodyRoom {
  let taken = 0

  return {
    get taken() {
      return taken
    },
    async forBody(request, reply) {
      const bytes = sizeOf(request, limitBytes)
      // Too large for any room: refused by the bound of a single body.
      if (bytes <= SMALL_BYTES || bytes > limitBytes) return
      if (taken > 0 && taken + bytes > roomBytes) throw tooManyLarge()
      taken += bytes
      const release = once(() => (taken -= bytes))
      request.bodyIsDone = release
      whenOver(reply, release)
    },
    share() {
      let own = 0
      const hold = (bytes: number) => {
        const wanted = bytes <= SMALL_BYTES ? 0 : bytes
        const others = taken - own
        if (wanted > own && others > 0 && others + wanted > roomBytes) throw tooManyLarge()
        taken = others + wanted
        own = wanted
      }
      return { hold, [Symbol.dispose]: () => hold(0) }
    },
  }
}

const tooManyLarge = () =>
  new ServiceError('overloaded', 'Too many large requests are being read. Please try again shortly.')

/** One that does not tell its size may be as large as it is allowed to be. */
function sizeOf({ headers }: FastifyRequest, limitBytes: number): number {
  const length = headers['content-length']
  if (length !== undefined) return Number(length)
  return headers['transfer-encoding'] === undefined ? 0 : limitBytes
}

function whenOver({ raw }: FastifyReply, release: () => void): void {
  if (raw.closed) release()
  else raw.once('close', release)
}

function once(act: () => void): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    act()
  }
}
