import type { RequestDraft, ResponseFormat, Tool, ToolChoice } from '@weir/contracts'
import { given } from '../given.ts'
import { messageToCanonical } from './message-to-canonical.ts'
import { type ChatCompletionRequest, extraOf } from './request.ts'
import type { RequestFormat } from './schema/formats.ts'
import type { NamedTool, RequestTool, RequestToolChoice } from './schema/tools.ts'

/** Reads the body into a request whose model is still to be chosen. */
export function toCanonical(body: ChatCompletionRequest): RequestDraft {
  const { reasoning_effort: effort, service_tier: tier, tools } = body
  const hasTools = tools !== undefined && tools.length > 0
  return {
    messages: body.messages.map(messageToCanonical),
    stream: body.stream ?? false,
    ...given({
      model: body.model,
      maxOutputTokens: body.max_completion_tokens ?? body.max_tokens,
      temperature: body.temperature,
      topP: body.top_p,
      topK: body.top_k,
      frequencyPenalty: body.frequency_penalty,
      presencePenalty: body.presence_penalty,
      logitBias: body.logit_bias,
      stop: typeof body.stop === 'string' ? [body.stop] : body.stop,
      seed: body.seed,
      choices: body.n,
      logprobs: body.logprobs ? { top: body.top_logprobs ?? 0 } : undefined,
      // Without tools these ask for nothing.
      ...(hasTools && {
        tools: tools.map(toolOf),
        toolChoice: body.tool_choice && toolChoiceOf(body.tool_choice),
        parallelToolCalls: body.parallel_tool_calls,
      }),
      responseFormat: body.response_format && formatOf(body.response_format),
      reasoning: effort && { effort },
      verbosity: body.verbosity,
      serviceTier: tier === 'auto' ? undefined : tier,
      endUser: body.safety_identifier ?? body.user,
      promptCacheKey: body.prompt_cache_key,
      promptCache: promptCacheOf(body),
      extra: extraOf(body),
    }),
  }
}

function toolOf(tool: RequestTool): Tool {
  if (tool.type === 'function') {
    const { name, description, parameters, strict } = tool.function
    return { kind: 'function', name, ...given({ description, parameters, strict }) }
  }
  const { name, description, format } = tool.custom
  return { kind: 'custom', name, ...given({ description, format }) }
}

function toolChoiceOf(choice: RequestToolChoice): ToolChoice {
  if (typeof choice === 'string') return { type: choice }
  if (choice.type !== 'allowed_tools') return { type: 'tool', ...toolNameOf(choice) }
  const { mode, tools } = choice.allowed_tools
  return { type: 'allowed', mode, tools: tools.map(toolNameOf) }
}

const toolNameOf = (tool: NamedTool) =>
  tool.type === 'function'
    ? { kind: 'function' as const, name: tool.function.name }
    : { kind: 'custom' as const, name: tool.custom.name }

function formatOf(format: RequestFormat): ResponseFormat | undefined {
  if (format.type === 'text') return undefined
  if (format.type === 'json_object') return { type: 'json_object' }
  const { name, description, schema, strict } = format.json_schema
  return { type: 'json_schema', name, ...given({ description, schema, strict }) }
}

function promptCacheOf(body: ChatCompletionRequest): RequestDraft['promptCache'] {
  const { prompt_cache_options: options, prompt_cache_retention: retention } = body
  const promptCache = given({ mode: options?.mode, ttl: options?.ttl, retention })
  return Object.keys(promptCache).length === 0 ? undefined : promptCache
}
