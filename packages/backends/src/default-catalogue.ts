import { BackendConfig, type Catalogue, type Model } from '@weir/contracts'
import type { SecretOf } from './backend.ts'
import { catalogueOf, completed } from './catalogue-of.ts'
import { ModelName } from './catalogue-schema.ts'
import type { Probe } from './probe-models.ts'
import { tokenPriceOf } from './token-price.ts'

/** Credits per million tokens. */
type WrittenPrice = { input: string; cachedInput: string; cacheWrite?: string; output: string }
type Offer = { backend: string; config: BackendConfig; models: readonly Model[] }

const OLLAMA_URL = 'http://127.0.0.1:11434/v1'
const FREE: WrittenPrice = { input: '0', cachedInput: '0', output: '0' }
// What an answer may cost is set aside before it begins. A file can allow the models that write more to do so.
const MAX_OUTPUT_TOKENS = 16_384

/**
 * What Weir offers without a file: the vendors whose key is in the environment, the models of an Ollama on this
 * machine, and last the simulated one, which is the default only when nothing real was found.
 */
export async function defaultCatalogue({ secretOf, probe }: { secretOf: SecretOf; probe: Probe }): Promise<Catalogue> {
  const offers = [
    ...(secretOf('OPENAI_API_KEY') ? [openaiOffer()] : []),
    ...(secretOf('ANTHROPIC_API_KEY') ? [anthropicOffer()] : []),
    ...ollamaOffers(await probe(OLLAMA_URL)),
    simulatedOffer(),
  ]
  const backends = new Map(offers.map(({ backend, config }) => [backend, config]))
  return catalogueOf(
    backends,
    offers.flatMap(({ models }) => models.map((model) => completed(model, backends))),
  )
}

const openaiOffer = (): Offer => ({
  backend: 'openai',
  config: BackendConfig.parse({ kind: 'openai', base_url: 'https://api.openai.com/v1', api_key_env: 'OPENAI_API_KEY' }),
  models: [
    modelOf('openai', 'gpt-4o-mini', { input: '0.15', cachedInput: '0.075', output: '0.6' }, 128_000),
    modelOf('openai', 'gpt-4o', { input: '2.5', cachedInput: '1.25', output: '10' }, 128_000),
    modelOf('openai', 'gpt-4.1-mini', { input: '0.4', cachedInput: '0.1', output: '1.6' }, 1_047_576),
    modelOf('openai', 'gpt-4.1', { input: '2', cachedInput: '0.5', output: '8' }, 1_047_576),
  ],
})

const anthropicOffer = (): Offer => ({
  backend: 'anthropic',
  config: BackendConfig.parse({ kind: 'anthropic', api_key_env: 'ANTHROPIC_API_KEY' }),
  models: [
    modelOf(
      'anthropic',
      'claude-sonnet-4-5',
      { input: '3', cachedInput: '0.3', cacheWrite: '3.75', output: '15' },
      200_000,
    ),
    modelOf(
      'anthropic',
      'claude-haiku-4-5',
      { input: '1', cachedInput: '0.1', cacheWrite: '1.25', output: '5' },
      200_000,
    ),
  ],
})

/** Free of charge: it is the operator's own machine. Models that only embed text cannot answer. */
function ollamaOffers(found: readonly string[]): Offer[] {
  const chatModels = found.filter((id) => ModelName.safeParse(id).success && id !== 'simulated' && !/embed/i.test(id))
  if (chatModels.length === 0) return []
  const config = BackendConfig.parse({ kind: 'openai', base_url: OLLAMA_URL })
  return [{ backend: 'ollama', config, models: chatModels.map((id) => modelOf('ollama', id, FREE, 131_072, 4_096)) }]
}

const simulatedOffer = (): Offer => ({
  backend: 'simulated',
  config: BackendConfig.parse({ kind: 'simulated' }),
  models: [modelOf('simulated', 'simulated', { input: '0.15', cachedInput: '0.075', output: '0.6' }, 131_072, 4_096)],
})

function modelOf(
  backend: string,
  id: string,
  written: WrittenPrice,
  contextWindow: number,
  maxOutputTokens = MAX_OUTPUT_TOKENS,
): Model {
  const result = tokenPriceOf({ ...written, per: '1000000' })
  if ('problems' in result) throw new Error(`the price of ${id} is not whole picocredits per token`)
  return { id, aliases: [], targets: [{ backend, model: id }], price: result.price, maxOutputTokens, contextWindow }
}
