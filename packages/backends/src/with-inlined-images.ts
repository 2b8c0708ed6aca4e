import type { CompletionRequest } from '@weir/contracts'
import type { Backend } from './backend.ts'
import { abortErrorOf } from './backend-errors.ts'

/** The request with the images it names by their address fetched and put in as data. */
export type InlineImages = (request: CompletionRequest, signal: AbortSignal) => Promise<CompletionRequest>

/** A backend that fetches nothing itself. The time for its images is not taken from the time for its first token. */
export function withInlinedImages(backend: Backend, inlineImages: InlineImages): Backend {
  return {
    name: backend.name,
    async *stream(request, target, signal) {
      const whole = await inlined(inlineImages, request, signal)
      yield* backend.stream(whole, target, signal)
    },
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  }
}

async function inlined(inlineImages: InlineImages, request: CompletionRequest, signal: AbortSignal) {
  try {
    return await inlineImages(request, signal)
  } catch (error) {
    throw signal.aborted ? abortErrorOf(signal) : error
  }
}
