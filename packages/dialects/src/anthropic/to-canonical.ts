import type { RequestDraft, Tool as CanonicalTool } from '@weir/contracts'
import { given } from '../given.ts'
import { cacheOf } from './cache-control.ts'
import { messagesOf, withLastMarked } from './messages-to-canonical.ts'
import type { CountTokensRequest, MessagesRequest } from './request.ts'
import type { Tool, ToolChoice } from './tools.ts'
import { assertOfVersion, versionOf } from './version.ts'

/** Reads the body into a request whose model is still to be chosen. `version` is the client's `anthropic-version`. */
export function toCanonical(body: MessagesRequest, version?: unknown): RequestDraft {
  assertOfVersion(body, versionOf(version))
  return {
    ...promptOf(body),
    stream: body.stream ?? false,
    ...given({
      maxOutputTokens: body.max_tokens,
      temperature: body.temperature,
      topP: body.top_p,
      topK: body.top_k,
      stop: body.stop_sequences?.length ? body.stop_sequences : undefined,
      serviceTier: body.service_tier === 'standard_only' ? ('default' as const) : undefined,
      endUser: body.metadata?.user_id,
    }),
  }
}

/** Reads a prompt that is only to be counted. */
export const toCanonicalCount = (body: CountTokensRequest): RequestDraft => ({ ...promptOf(body), stream: false })

function promptOf(body: CountTokensRequest): Omit<RequestDraft, 'stream'> {
  const messages = messagesOf(body)
  const format = body.output_config?.format
  return {
    messages: body.cache_control ? withLastMarked(messages, body.cache_control) : messages,
    ...given({
      model: body.model,
      // Without tools there is nothing to choose.
      ...(body.tools?.length && { tools: body.tools.map(toolOf), ...choiceOf(body.tool_choice) }),
      responseFormat: format ? { type: 'json_schema' as const, schema: format.schema } : undefined,
      reasoning: reasoningOf(body),
    }),
  }
}

const toolOf = ({ name, description, input_schema: parameters, strict, cache_control }: Tool): CanonicalTool => ({
  kind: 'function',
  name,
  parameters,
  ...(description ? { description } : {}),
  ...(typeof strict === 'boolean' ? { strict } : {}),
  ...cacheOf(cache_control),
})

function choiceOf(choice: ToolChoice | null | undefined): Pick<RequestDraft, 'toolChoice' | 'parallelToolCalls'> {
  if (!choice) return {}
  if (choice.type === 'none') return { toolChoice: { type: 'none' } }
  const disabled = choice.disable_parallel_tool_use ?? undefined
  return {
    toolChoice:
      choice.type === 'tool'
        ? { type: 'tool', kind: 'function', name: choice.name }
        : { type: choice.type === 'any' ? 'required' : 'auto' },
    ...(disabled === undefined ? {} : { parallelToolCalls: !disabled }),
  }
}

function reasoningOf({ thinking, output_config }: CountTokensRequest): RequestDraft['reasoning'] {
  const effort = output_config?.effort
  if (!thinking && !effort) return undefined
  return { ...(effort ? { effort } : {}), ...(thinking ? thinkingOf(thinking) : {}) }
}

function thinkingOf(thinking: NonNullable<CountTokensRequest['thinking']>): NonNullable<RequestDraft['reasoning']> {
  switch (thinking.type) {
    case 'enabled':
      return { thinking: { type: 'enabled', budgetTokens: thinking.budget_tokens }, ...displayOf(thinking.display) }
    case 'adaptive':
      return { thinking: { type: 'adaptive' }, ...displayOf(thinking.display) }
    default:
      return { thinking: { type: thinking.type } }
  }
}

const displayOf = (display: 'summarized' | 'omitted' | null | undefined) => (display ? { display } : {})
