import type { AnthropicConfig, BackendConfig, CompletionRequest } from '@weir/contracts'
import type { Backend } from './backend.ts'
import { abortErrorOf } from './backend-errors.ts'
import { inlineImages } from './inline-images.ts'
import { isOpenAiItself } from './openai-host.ts'

/** The request with the images it names by their address fetched and put in as data. */
export type InlineImages = (request: CompletionRequest, signal: AbortSignal) => Promise<CompletionRequest>

/**
 * Whether a backend gets images and files themselves where a request names their addresses. A server that stands inside
 * would fetch from inside whatever a client names, so only the vendors' own are handed addresses unasked.
 */
export function inlinesImages(config: BackendConfig): boolean {
  if (config.kind === 'simulated') return false
  const fetchesOutside = config.kind === 'openai' ? isOpenAiItself(config) : isAnthropicItself(config)
  return config.inline_images ?? !fetchesOutside
}

const isAnthropicItself = ({ base_url }: AnthropicConfig): boolean => new URL(base_url).hostname === 'api.anthropic.com'

/** For a process that fetches nothing: what a request names by its address is refused, all else stays as it is. */
export const refuseAddresses: InlineImages = (request, signal) =>
  inlineImages(request, { fetchImage: async () => notFetched, maxBytes: 0 }, signal)

const notFetched = { kind: 'refused' as const, sentence: 'is not fetched here; send it as data' }

/** A backend that fetches nothing itself. The time for its images is not taken from the time for its first token. */
export function withInlinedImages(backend: Backend, inline: InlineImages): Backend {
  return {
    name: backend.name,
    async *stream(request, target, signal) {
      const whole = await inlined(inline, request, signal)
      yield* backend.stream(whole, target, signal)
    },
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  }
}

async function inlined(inline: InlineImages, request: CompletionRequest, signal: AbortSignal) {
  try {
    return await inline(request, signal)
  } catch (error) {
    throw signal.aborted ? abortErrorOf(signal) : error
  }
}
