import type { Message, TextPart, UserPart } from '@weir/contracts'
import { assistantFromCanonical } from './assistant-from-canonical.ts'
import { type BodyMessage, partFromCanonical, textFromCanonical } from './parts-from-canonical.ts'

export type MessageOptions = {
  /** Whether the server knows `prompt_cache_breakpoint`. Without it, marks are left out: they are hints. */
  cacheMarks?: boolean
}

/**
 * The messages of a body. Only users may show images and files: what tools have shown follows their results, of which
 * nothing may come between, as a message of the user.
 */
export function messagesFromCanonical(
  messages: readonly Message[],
  { cacheMarks = true }: MessageOptions,
): BodyMessage[] {
  const body: BodyMessage[] = []
  let shown: UserPart[] = []
  const show = () => {
    if (shown.length > 0) body.push({ role: 'user', content: shown.map((part) => partFromCanonical(part, cacheMarks)) })
    shown = []
  }
  for (const message of messages) {
    if (message.role !== 'tool') show()
    body.push(messageOf(message, cacheMarks))
    if (message.role === 'tool') shown.push(...shownBy(message))
  }
  show()
  return body
}

function messageOf(message: Message, cacheMarks: boolean): BodyMessage {
  if (message.role === 'assistant') return assistantFromCanonical(message, cacheMarks)
  if (message.role === 'tool') {
    return { role: 'tool', tool_call_id: message.callId, content: resultOf(message, cacheMarks) }
  }
  const { role, content, name } = message
  const parts = typeof content === 'string' ? content : content.map((part) => partFromCanonical(part, cacheMarks))
  return { role, content: parts, ...(name !== undefined && { name }) }
}

type ToolMessage = Extract<Message, { role: 'tool' }>

/** What a tool has said in words. That it has failed is said in words as well: there is no other place for it. */
function resultOf({ content, isError, cache }: ToolMessage, cacheMarks: boolean) {
  const texts = typeof content === 'string' ? [textOf(content)] : content.filter((part) => part.type === 'text')
  const [first = textOf(''), ...rest] = texts
  const parts = [isError ? { ...first, text: `Error: ${first.text}` } : first, ...rest]
  const marked = parts.map((part, index) => (cache && index === parts.length - 1 ? { ...part, cache } : part))
  const [only] = marked
  const isPlain = typeof content === 'string' || texts.length === 0
  if (isPlain && only && !(cacheMarks && only.cache)) return only.text
  return marked.map((part) => textFromCanonical(part, cacheMarks))
}

const textOf = (text: string): TextPart => ({ type: 'text', text })

function shownBy({ callId, content }: ToolMessage): UserPart[] {
  if (typeof content === 'string') return []
  const shown = content.filter((part) => part.type !== 'text')
  return shown.length === 0 ? [] : [textOf(`Shown by the tool call ${callId}:`), ...shown]
}
