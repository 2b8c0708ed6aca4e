import type { ErrorCode } from '@weir/contracts'
import type { z } from 'zod'
import type { IssueParams } from '../request-error.ts'
import type { RequestMessage } from './schema/messages.ts'
import type { NamedTool, RequestTool, RequestToolChoice } from './schema/tools.ts'

const MOST_EXTRA_FIELDS = 32
const LONGEST_EXTRA_NAME = 64
const MOST_EXTRA_CHARACTERS = 64 * 1024

type Checked = {
  messages: RequestMessage[]
  tools?: RequestTool[] | undefined
  tool_choice?: RequestToolChoice | undefined
  logprobs?: boolean | undefined
  top_logprobs?: number | undefined
  max_tokens?: number | undefined
  max_completion_tokens?: number | undefined
}
type Refuse = (path: (string | number)[], message: string, code?: ErrorCode) => void

/** What one field says of another. */
export const checkRequest =
  (knownFields: ReadonlySet<string>) =>
  (body: Checked, context: z.core.$RefinementCtx): void => {
    const refuse: Refuse = (path, message, code) =>
      context.addIssue({ code: 'custom', path, message, ...(code && { params: { code } satisfies IssueParams }) })

    checkNumbers(body, refuse)
    checkMessages(body.messages, refuse)
    checkTools(body.tools ?? [], refuse)
    if (body.tool_choice !== undefined) checkToolChoice(body.tool_choice, body.tools ?? [], refuse)
    checkExtra(body, knownFields, refuse)
  }

function checkNumbers({ logprobs, top_logprobs, max_tokens, max_completion_tokens }: Checked, refuse: Refuse): void {
  if (top_logprobs && !logprobs) refuse(['top_logprobs'], 'needs logprobs to be true')
  if (max_tokens !== undefined && max_completion_tokens !== undefined && max_tokens !== max_completion_tokens)
    refuse(['max_tokens'], "'max_tokens' and 'max_completion_tokens' disagree; send one of them")
}

function checkMessages(messages: readonly RequestMessage[], refuse: Refuse): void {
  const called = new Set<string>()
  for (const [index, message] of messages.entries()) {
    if (message.role === 'assistant') {
      const { content, refusal, tool_calls: calls } = message
      for (const { id } of calls ?? []) called.add(id)
      if (content == null && refusal == null && !calls?.length)
        refuse(['messages', index, 'content'], 'is required where there are no tool_calls')
    } else if (message.role === 'tool' && !called.has(message.tool_call_id)) {
      refuse(['messages', index, 'tool_call_id'], 'names no tool call of an earlier message')
    }
  }
}

function checkTools(tools: readonly RequestTool[], refuse: Refuse): void {
  const names = new Set<string>()
  for (const [index, tool] of tools.entries()) {
    const name = nameOf(tool)
    if (names.has(name)) refuse(['tools', index, tool.type, 'name'], 'is the name of another tool, too')
    names.add(name)
  }
}

function checkToolChoice(choice: RequestToolChoice, tools: readonly RequestTool[], refuse: Refuse): void {
  if (tools.length === 0) return refuse(['tool_choice'], 'is allowed only together with tools')
  if (typeof choice === 'string') return
  const isKnown = (named: NamedTool) => tools.some((tool) => tool.type === named.type && nameOf(tool) === nameOf(named))
  if (choice.type !== 'allowed_tools') {
    if (!isKnown(choice)) refuse(['tool_choice', choice.type, 'name'], 'names none of the tools')
    return
  }
  for (const [index, named] of choice.allowed_tools.tools.entries())
    if (!isKnown(named))
      refuse(['tool_choice', 'allowed_tools', 'tools', index, named.type, 'name'], 'names none of the tools')
}

const nameOf = (tool: NamedTool): string => (tool.type === 'function' ? tool.function.name : tool.custom.name)

/** Vendors' fields are few and small. */
function checkExtra(body: object, knownFields: ReadonlySet<string>, refuse: Refuse): void {
  const extra = Object.entries(body).filter(([key]) => !knownFields.has(key))
  const longest = extra.find(([key]) => key.length > LONGEST_EXTRA_NAME)
  if (longest) return refuse([longest[0]], 'is not known', 'unknown_parameter')
  const [last] = extra.slice(MOST_EXTRA_FIELDS)
  if (last) return refuse([last[0]], `is one of more than ${MOST_EXTRA_FIELDS} unknown fields`, 'unknown_parameter')
  let characters = 0
  for (const [key, value] of extra) {
    characters += JSON.stringify(value)?.length ?? 0
    if (characters > MOST_EXTRA_CHARACTERS)
      return refuse([key], `makes the unknown fields longer than ${MOST_EXTRA_CHARACTERS} characters`)
  }
}
