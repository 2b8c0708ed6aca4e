import type { RequestDraft, Tool, ToolChoice } from '@weir/contracts'
import { given } from '../given.ts'
import { type MessageOptions, messagesFromCanonical } from './messages-from-canonical.ts'
import type { BodyMessage } from './parts-from-canonical.ts'
import { effortOf } from './reasoning-effort.ts'

/** The body of a chat completion call, as far as the request says it. Whether to stream is up to whoever makes the call. */
export type ChatCompletionBody = { messages: BodyMessage[] } & Record<string, unknown>

/**
 * The body that asks for what a request asks for: what `toCanonical` would read as the same request, up to the rules in
 * docs/dialects.md. Throws `unsupported_parameter` for what this dialect has no words for.
 */
export function fromCanonical(request: RequestDraft, options: MessageOptions = {}): ChatCompletionBody {
  const { logprobs, promptCache, responseFormat: format } = request
  const cacheOptions = given({ mode: promptCache?.mode, ttl: promptCache?.ttl })
  return {
    // What vendors call their own never replaces what we know.
    ...request.extra,
    ...given({
      model: request.model,
      messages: messagesFromCanonical(request.messages, options),
      max_completion_tokens: request.maxOutputTokens,
      temperature: request.temperature,
      top_p: request.topP,
      top_k: request.topK,
      frequency_penalty: request.frequencyPenalty,
      presence_penalty: request.presencePenalty,
      logit_bias: request.logitBias,
      stop: request.stop?.length ? request.stop : undefined,
      seed: request.seed,
      n: request.choices,
      logprobs: logprobs && true,
      top_logprobs: logprobs?.top ? logprobs.top : undefined,
      tools: request.tools?.map(toolOf),
      tool_choice: request.toolChoice && toolChoiceOf(request.toolChoice),
      parallel_tool_calls: request.parallelToolCalls,
      response_format: format && formatOf(format),
      reasoning_effort: effortOf(request),
      verbosity: request.verbosity,
      service_tier: request.serviceTier,
      // Every server knows this name, where `safety_identifier` is OpenAI's alone.
      user: request.endUser,
      prompt_cache_key: request.promptCacheKey,
      prompt_cache_options: Object.keys(cacheOptions).length === 0 ? undefined : cacheOptions,
      prompt_cache_retention: promptCache?.retention,
    }),
  } as ChatCompletionBody
}

const toolOf = ({ kind, name, description, parameters, format, strict }: Tool) =>
  kind === 'function'
    ? { type: 'function', function: { name, ...given({ description, parameters, strict }) } }
    : { type: 'custom', custom: { name, ...given({ description, format }) } }

function toolChoiceOf(choice: ToolChoice) {
  if (choice.type === 'tool') return namedTool(choice)
  if (choice.type !== 'allowed') return choice.type
  const { mode, tools } = choice
  return { type: 'allowed_tools', allowed_tools: { mode, tools: tools.map(namedTool) } }
}

const namedTool = ({ kind, name }: Pick<Tool, 'kind' | 'name'>) => ({ type: kind, [kind]: { name } })

/** A schema of the other dialect has no name, which this one demands. */
function formatOf(format: NonNullable<RequestDraft['responseFormat']>) {
  if (format.type === 'json_object') return { type: 'json_object' }
  const { name = 'answer', description, schema, strict } = format
  return { type: 'json_schema', json_schema: { name, ...given({ description, schema, strict }) } }
}
