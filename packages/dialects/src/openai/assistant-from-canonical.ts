import { type AssistantPart, type Message, ServiceError, type ToolCallPart } from '@weir/contracts'
import { type BodyMessage, textFromCanonical } from './parts-from-canonical.ts'

type AssistantMessage = Extract<Message, { role: 'assistant' }>

/**
 * What a model has said, in the fields that this dialect has for it: reasoning, text, refusal, tool calls. Their order
 * among each other is not kept, nor are signatures, which only the vendor that made them can read.
 */
export function assistantFromCanonical({ content, name }: AssistantMessage, cacheMarks: boolean): BodyMessage {
  const named = name === undefined ? {} : { name }
  if (typeof content === 'string') return { role: 'assistant', content, ...named }
  if (content.some(({ type }) => type === 'redacted_reasoning')) throw redacted()
  const reasoning = said(content, 'reasoning')
  const refusal = said(content, 'refusal')
  const calls = content.filter((part) => part.type === 'tool_call')
  const isMixed = reasoning !== undefined || refusal !== undefined || calls.length > 0
  return {
    role: 'assistant',
    content: spoken(content, isMixed, cacheMarks),
    ...(refusal === undefined ? {} : { refusal }),
    ...(reasoning === undefined ? {} : { reasoning_content: reasoning }),
    ...(calls.length === 0 ? {} : { tool_calls: calls.map(callOf) }),
    ...named,
  }
}

/** The text, which beside anything else is one string where it can be: most servers know nothing else. */
function spoken(content: readonly AssistantPart[], isMixed: boolean, cacheMarks: boolean) {
  const texts = content.filter((part) => part.type === 'text')
  const [only] = texts
  if (!only) return isMixed ? null : ''
  if (isMixed && texts.length === 1 && !(cacheMarks && only.cache)) return only.text
  return texts.map((part) => textFromCanonical(part, cacheMarks))
}

function said(content: readonly AssistantPart[], type: 'reasoning' | 'refusal'): string | undefined {
  const texts = content.map((part) => (part.type === type && 'text' in part ? part.text : undefined))
  const found = texts.filter((text) => text !== undefined)
  return found.length === 0 ? undefined : found.join('')
}

const callOf = ({ id, kind, name, arguments: text }: ToolCallPart) =>
  kind === 'function'
    ? { id, type: 'function', function: { name, arguments: text } }
    : { id, type: 'custom', custom: { name, input: text } }

const redacted = () =>
  new ServiceError(
    'unsupported_parameter',
    'This model cannot read the redacted_thinking of another. Leave those blocks out, or ask a model of their vendor.',
    { param: 'messages' },
  )
