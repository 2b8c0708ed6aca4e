import type { CompletionRequest, OpenAiConfig, Target } from '@weir/contracts'
import { openai } from '@weir/dialects'
import type { Backend, SecretOf } from './backend.ts'
import { openEndpoint } from './endpoint.ts'
import { openAiBodyOf } from './openai-body.ts'
import type { Call } from './protocol.ts'
import { configuredHeaders, contentHeaders, pathOf } from './request-head.ts'
import { streamCall } from './stream-call.ts'

/** Any server that speaks OpenAI's chat completions. */
export function createOpenAiBackend(name: string, config: OpenAiConfig, secretOf: SecretOf): Backend {
  const endpoint = openEndpoint(config, openai)
  const headers = { ...configuredHeaders(config, secretOf), ...contentHeaders, ...authOf(config, secretOf) }

  const callOf = (request: CompletionRequest, target: Target): Call => ({
    path: pathOf(config, config.path.replaceAll('{model}', encodeURIComponent(target.model))),
    headers,
    body: JSON.stringify(openAiBodyOf(request, target, config)),
    choices: request.choices ?? 1,
    maxOutputTokens: request.maxOutputTokens,
  })

  return {
    name,
    stream: (request, target, signal) => streamCall(endpoint, () => callOf(request, target), signal),
    [Symbol.asyncDispose]: () => endpoint.pool.destroy(),
  }
}

function authOf({ auth, api_key_env: env }: OpenAiConfig, secretOf: SecretOf): Record<string, string> {
  const secret = env && secretOf(env)
  if (!secret || auth === 'none') return {}
  return auth === 'bearer' ? { authorization: `Bearer ${secret}` } : { [auth.header.toLowerCase()]: secret }
}
