import type { CompletionRequest, Message, OpenAiConfig, Target } from '@weir/contracts'
import { openai } from '@weir/dialects'
import { isOpenAiItself } from './openai-host.ts'
import { assertPassed } from './pass-fields.ts'

/** The body of a chat completion call, in the words this server knows. It always streams: that is how we see tokens. */
export function openAiBodyOf(request: CompletionRequest, target: Target, config: OpenAiConfig): object {
  assertPassed(request, config)
  const isOpenAi = isOpenAiItself(config)
  const said = {
    ...request,
    model: target.model,
    messages: keepsDeveloper(config, isOpenAi) ? request.messages : request.messages.map(withoutDeveloper),
  }
  const knowsCacheFields = keepsCacheFields(config, isOpenAi)
  const {
    max_completion_tokens: limit,
    max_tokens: _other,
    ...body
  } = openai.fromCanonical(knowsCacheFields ? said : withoutCacheFields(said), { cacheMarks: knowsCacheFields })
  return {
    ...body,
    [limitFieldOf(config, isOpenAi)]: limit,
    stream: true,
    // It asks for usage, which is what we charge by.
    ...(config.stream_options && { stream_options: { include_usage: true } }),
  }
}

/**
 * OpenAI's reasoning models refuse `max_tokens`; most other servers know nothing else, and some would silently ignore the
 * newer name and generate without a limit.
 */
function limitFieldOf({ max_tokens_field: field }: OpenAiConfig, isOpenAi: boolean): string {
  if (field !== 'auto') return field
  return isOpenAi ? 'max_completion_tokens' : 'max_tokens'
}

const keepsDeveloper = ({ developer_role: role }: OpenAiConfig, isOpenAi: boolean): boolean =>
  role === 'auto' ? isOpenAi : role === 'keep'

/** `developer` is OpenAI's newer word for `system`, and an unknown role to the chat templates of other servers. */
const withoutDeveloper = (message: Message): Message =>
  message.role === 'developer' ? { ...message, role: 'system' } : message

const keepsCacheFields = ({ prompt_cache_fields: fields }: OpenAiConfig, isOpenAi: boolean): boolean =>
  fields === 'auto' ? isOpenAi : fields === 'keep'

/** How a prompt is kept changes what it costs, never what is answered. */
function withoutCacheFields<R extends CompletionRequest>(request: R): R {
  const { promptCacheKey: _key, promptCache: _cache, ...rest } = request
  return rest as R
}
