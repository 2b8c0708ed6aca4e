import type { RequestDraft, Tool, ToolChoice } from '@weir/contracts'
import type { z } from 'zod'
import { given } from '../given.ts'
import { cacheControlOf } from './cache-control.ts'
import { assertCarried, notCarried } from './carried.ts'
import { conversationOf } from './messages-from-canonical.ts'
import { type MessagesRequest, SMALLEST_THINKING_BUDGET } from './request.ts'

/** What a backend is sent. Only a prompt that is to be counted has no `max_tokens`. */
export type MessagesBody = Pick<z.input<typeof MessagesRequest>, 'messages'> & Partial<z.input<typeof MessagesRequest>>

/** The request in the words of this API, without `stream`. Throws a 400 for what it has no words for. */
export function fromCanonical(request: RequestDraft): MessagesBody {
  assertCarried(request)
  const { messages, ...rest } = conversationOf(request.messages)
  const fields = given({
    model: request.model,
    ...rest,
    max_tokens: request.maxOutputTokens,
    temperature: request.temperature,
    top_p: request.topP,
    top_k: request.topK,
    stop_sequences: request.stop?.length ? request.stop : undefined,
    ...toolsOf(request),
    thinking: thinkingOf(request),
    output_config: outputConfigOf(request),
    metadata: request.endUser === undefined ? undefined : { user_id: request.endUser },
    service_tier: request.serviceTier === 'default' ? ('standard_only' as const) : undefined,
  })
  return { ...fields, messages }
}

/** A choice says nothing where there is nothing to choose from. */
function toolsOf({ tools = [], toolChoice, parallelToolCalls }: RequestDraft): Partial<MessagesBody> {
  const isAllowed = allowedBy(toolChoice)
  const usable = tools.filter(isAllowed)
  if (usable.length === 0) {
    if (isDemanding(toolChoice)) throw notCarried('tool_choice', 'there is no such tool to choose')
    return {}
  }
  return { tools: usable.map(toolOf), ...choiceOf(toolChoice, parallelToolCalls) }
}

/** A subset of the tools is offered alone: what the model is not told of it cannot call. */
function allowedBy(choice: ToolChoice | undefined): (tool: Tool) => boolean {
  if (choice?.type !== 'allowed') return () => true
  const names = new Set(choice.tools.map(({ name }) => name))
  return ({ name }) => names.has(name)
}

const isDemanding = (choice: ToolChoice | undefined): boolean =>
  choice?.type === 'required' || choice?.type === 'tool' || (choice?.type === 'allowed' && choice.mode === 'required')

const toolOf = ({ name, description, parameters, strict, cache }: Tool) => ({
  name,
  ...(description === undefined ? {} : { description }),
  // A function without parameters takes none; one whose schema does not say so takes an object all the same.
  input_schema: parameters ? { type: 'object', ...parameters } : { type: 'object', properties: {} },
  ...(strict === undefined ? {} : { strict }),
  ...cacheControlOf(cache),
})

function choiceOf(choice: ToolChoice | undefined, parallel: boolean | undefined): Pick<MessagesBody, 'tool_choice'> {
  // Who may call no tool cannot call two.
  if (choice?.type === 'none') return { tool_choice: { type: 'none' } }
  if (choice === undefined && parallel !== false) return {}
  const together = parallel === undefined ? {} : { disable_parallel_tool_use: !parallel }
  if (choice?.type !== 'tool') return { tool_choice: { type: isDemanding(choice) ? 'any' : 'auto', ...together } }
  if (choice.kind === 'custom') throw notCarried('tool_choice')
  return { tool_choice: { type: 'tool', name: choice.name, ...together } }
}

/**
 * How much to think. A cap that was lowered to what the account can pay for lowers the budget below it, and leaves out
 * thinking for which there is no room at all.
 */
function thinkingOf({ reasoning, maxOutputTokens = Infinity }: RequestDraft): MessagesBody['thinking'] {
  const { thinking, effort, display } = reasoning ?? {}
  if (!thinking) return effort === 'none' ? { type: 'disabled' } : undefined
  const shown = display ? { display } : {}
  if (thinking.type === 'adaptive') return { type: 'adaptive', ...shown }
  if (thinking.type !== 'enabled') return { type: thinking.type }
  const budget = Math.min(thinking.budgetTokens, maxOutputTokens - 1)
  return budget < SMALLEST_THINKING_BUDGET ? { type: 'disabled' } : { type: 'enabled', budget_tokens: budget, ...shown }
}

/** The schema of an answer takes its description with it; the name that OpenAI wants for it has no other use. */
function outputConfigOf({ reasoning, responseFormat }: RequestDraft): MessagesBody['output_config'] {
  const effort = effortOf(reasoning)
  const format = responseFormat?.type === 'json_schema' ? responseFormat : undefined
  if (!effort && !format) return undefined
  const described = format?.description === undefined ? {} : { description: format.description }
  return {
    ...(effort ? { effort } : {}),
    ...(format ? { format: { type: 'json_schema', schema: { ...described, ...format.schema } } } : {}),
  }
}

function effortOf(reasoning: RequestDraft['reasoning']) {
  const effort = reasoning?.effort
  return effort === 'none' || effort === 'minimal' ? undefined : effort
}
