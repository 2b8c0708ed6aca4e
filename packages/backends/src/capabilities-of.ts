import { type BackendConfig, Capability } from '@weir/contracts'
import { isOpenAiItself } from './openai-host.ts'

/** What Anthropic's messages can carry; what is not here has no words in that dialect. */
const ofAnthropic: readonly Capability[] = ['tools', 'vision', 'files', 'json_schema', 'reasoning', 'top_k']

/** What most servers understand that speak OpenAI's chat completions. Those that do more, or less, say so in the catalogue. */
const ofCompatible: readonly Capability[] = [
  'tools',
  'vision',
  'json_object',
  'json_schema',
  'reasoning',
  'logprobs',
  'choices',
  'seed',
  'penalties',
  'logit_bias',
  'top_k',
]

const all = Capability.options
const ofOpenAi = all.filter((capability) => capability !== 'top_k')

/** What the models of a backend can do, unless the catalogue says otherwise. */
export function capabilitiesOf(config: BackendConfig): readonly Capability[] {
  if (config.kind === 'simulated') return all
  if (config.kind === 'anthropic') return ofAnthropic
  return isOpenAiItself(config) ? ofOpenAi : ofCompatible
}

/** What requests to backends of a kind can ask for at all. */
export const carriedBy = (kind: BackendConfig['kind']): readonly Capability[] =>
  kind === 'anthropic' ? ofAnthropic : all
