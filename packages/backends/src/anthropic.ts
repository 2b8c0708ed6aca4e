import type { AnthropicConfig, CompletionRequest, Target } from '@weir/contracts'
import { anthropic } from '@weir/dialects'
import { anthropicBodyOf } from './anthropic-body.ts'
import type { Backend, SecretOf } from './backend.ts'
import { openEndpoint } from './endpoint.ts'
import type { Call } from './protocol.ts'
import { configuredHeaders, contentHeaders, pathOf } from './request-head.ts'
import { streamCall } from './stream-call.ts'

/** Any server that speaks Anthropic's messages. */
export function createAnthropicBackend(name: string, config: AnthropicConfig, secretOf: SecretOf): Backend {
  const endpoint = openEndpoint(config, anthropic)
  const headers = {
    ...configuredHeaders(config, secretOf),
    ...contentHeaders,
    'anthropic-version': config.version,
    ...(config.beta?.length ? { 'anthropic-beta': config.beta.join(',') } : {}),
    ...authOf(config, secretOf),
  }
  // Clients of this API disagree on whether a base URL holds the version; both are understood.
  const path = pathOf(config, /\/v1\/*$/.test(config.base_url) ? '/messages' : '/v1/messages')

  const callOf = (request: CompletionRequest, target: Target): Call => ({
    path,
    headers,
    body: JSON.stringify(anthropicBodyOf(request, target, config)),
    choices: 1,
    maxOutputTokens: request.maxOutputTokens,
  })

  return {
    name,
    stream: (request, target, signal) => streamCall(endpoint, () => callOf(request, target), signal),
    [Symbol.asyncDispose]: () => endpoint.pool.destroy(),
  }
}

/** The first generation of the API has a header of its own, the second takes what everybody takes. */
function authOf({ auth, version, api_key_env: env }: AnthropicConfig, secretOf: SecretOf): Record<string, string> {
  const secret = env && secretOf(env)
  const kind = auth === 'auto' ? (version === '2023-06-01' ? 'x-api-key' : 'bearer') : auth
  if (!secret || kind === 'none') return {}
  return kind === 'bearer' ? { authorization: `Bearer ${secret}` } : { 'x-api-key': secret }
}
