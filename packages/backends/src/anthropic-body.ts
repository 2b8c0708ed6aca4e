import type { AnthropicConfig, CompletionRequest, Target } from '@weir/contracts'
import { anthropic } from '@weir/dialects'
import { assertPassed } from './pass-fields.ts'

/** The body of a messages call. It always streams: that is how we see tokens. */
export function anthropicBodyOf(request: CompletionRequest, target: Target, config: AnthropicConfig): object {
  assertPassed(request, config)
  const { extra, ...known } = request
  const body = anthropic.fromCanonical(config.version === '2023-06-01' ? known : withoutNeutralSampling(known))
  anthropic.assertOfVersion(body, config.version)
  // What a vendor calls its own never replaces what we know.
  return { ...extra, ...body, model: target.model, stream: true }
}

/** The second generation refuses the fields of sampling even where they ask for what it does anyway. */
function withoutNeutralSampling<R extends Omit<CompletionRequest, 'extra'>>({ temperature, topP, ...rest }: R) {
  return {
    ...rest,
    ...(temperature === undefined || temperature === 1 ? {} : { temperature }),
    ...(topP === undefined || topP === 1 ? {} : { topP }),
  }
}
