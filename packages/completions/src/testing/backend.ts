import type { Backends } from '@weir/backends'
import type { Chunk, CompletionRequest, Target, Usage } from '@weir/contracts'

/** How a backend is played: by one generator. */
export type Play = (request: CompletionRequest, target: Target, signal: AbortSignal) => AsyncIterable<Chunk>

export function playedBackends(play: Play): Backends {
  const backend = { name: 'gpu', stream: play, [Symbol.asyncDispose]: async () => {} }
  return { get: () => backend, names: () => ['gpu'], [Symbol.asyncDispose]: async () => {} }
}

export const text = (content: string): Chunk => ({ type: 'text', choice: 0, text: content })
export const finish: Chunk = { type: 'finish', choice: 0, reason: 'stop' }

const tenAndFive: Usage = { inputTokens: 10, cachedInputTokens: 0, outputTokens: 5, source: 'reported' }
export const usage: Chunk = { type: 'usage', usage: tenAndFive }
/** The prompt was read, and no word has been said. */
export const tenSoFar: Chunk = { type: 'usage', usage: { ...tenAndFive, outputTokens: 0 }, soFar: true }
/** What the usage costs at the fixture's price: ten tokens in at one, five out at two. */
export const USAGE_COST = 20n

/** A backend that answers with these chunks, or fails where there is an error among them. */
export const playing = (...steps: (Chunk | Error)[]): Play =>
  async function* () {
    for (const step of steps) {
      if (step instanceof Error) throw step
      yield step
    }
  }

export const answering = playing(text('Water is '), text('lazy.'), finish, usage)

/** A backend that must not be asked. */
export const unasked: Play = () => {
  throw new Error('the backend was asked')
}

/** A backend that shows these chunks and then waits until it is aborted or, with `release`, goes on to its end. */
export function holding(...chunks: Chunk[]) {
  const reached = Promise.withResolvers<AbortSignal>()
  const released = Promise.withResolvers<void>()
  const play: Play = async function* (_request, _target, signal) {
    yield* chunks
    reached.resolve(signal)
    const aborted = new Promise<never>((_, reject) => {
      if (signal.aborted) reject(signal.reason)
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
    await Promise.race([released.promise, aborted])
    yield finish
    yield usage
  }
  /** Resolves with the call's signal when all chunks were taken. */
  return { play, reached: reached.promise, release: released.resolve }
}
