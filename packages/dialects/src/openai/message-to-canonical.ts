import type { AssistantPart, FilePart, Message, Source, TextPart, UserPart } from '@weir/contracts'
import { bytesIn } from '../data-url.ts'
import { markOf } from './cache-mark.ts'
import type { RequestMessage, ToolCall } from './schema/messages.ts'
import type { AssistantContentPart, TextContentPart, UserContentPart } from './schema/parts.ts'

export function messageToCanonical(message: RequestMessage): Message {
  const name = 'name' in message && typeof message.name === 'string' ? { name: message.name } : undefined
  switch (message.role) {
    case 'system':
    case 'developer':
      return { role: message.role, content: textOf(message.content), ...name }
    case 'user':
      return {
        role: 'user',
        content: typeof message.content === 'string' ? message.content : message.content.map(userPartOf),
        ...name,
      }
    case 'assistant':
      return { role: 'assistant', content: assistantContentOf(message), ...name }
    case 'tool':
      return { role: 'tool', callId: message.tool_call_id, content: textOf(message.content) }
    case 'function':
      throw new Error('the schema lets no message of a function pass')
  }
}

const textOf = (content: string | TextContentPart[]): string | TextPart[] =>
  typeof content === 'string' ? content : content.map(textPartOf)

const textPartOf = ({ text, prompt_cache_breakpoint: mark }: TextContentPart): TextPart => ({
  type: 'text',
  text,
  ...markOf(mark),
})

function userPartOf(part: UserContentPart): UserPart {
  if (part.type === 'text') return textPartOf(part)
  const cache = markOf(part.prompt_cache_breakpoint)
  if (part.type === 'input_audio') return { type: 'audio', ...part.input_audio, ...cache }
  if (part.type === 'file') return { ...fileOf(part.file), ...cache }
  const { url, detail } = part.image_url
  const source: Source = bytesIn(url) ?? { kind: 'url', url }
  return { type: 'image', source, ...(detail && { detail }), ...cache }
}

type RequestFile = Extract<UserContentPart, { type: 'file' }>['file']

function fileOf({ file_data: data, filename: name }: RequestFile): FilePart {
  // Bytes that do not say what they are: the specification knows no other kind.
  const source = bytesIn(data) ?? { kind: 'base64', mediaType: 'application/pdf', data }
  return { type: 'file', source, ...(name != null && { name }) }
}

type AssistantMessage = Extract<RequestMessage, { role: 'assistant' }>

/** A text alone stays as it was sent; with anything beside it all become parts, in the order in which a model says them. */
function assistantContentOf(message: AssistantMessage): Extract<Message, { role: 'assistant' }>['content'] {
  const { content, refusal, tool_calls: calls } = message
  const reasoning = message.reasoning_content ?? message.reasoning
  const isAlone = !reasoning && refusal == null && !calls?.length
  if (typeof content === 'string' && isAlone) return content
  return [
    ...(reasoning ? [{ type: 'reasoning' as const, text: reasoning }] : []),
    ...(typeof content === 'string' ? spoken(content) : (content ?? []).map(assistantPartOf)),
    ...(refusal == null ? [] : [{ type: 'refusal' as const, text: refusal }]),
    ...(calls ?? []).map(callOf),
  ]
}

/** Clients repeat an answer of tool calls alone with an empty text, which is none. */
const spoken = (text: string): TextPart[] => (text === '' ? [] : [{ type: 'text', text }])

const assistantPartOf = (part: AssistantContentPart): AssistantPart =>
  part.type === 'refusal' ? { type: 'refusal', text: part.refusal } : textPartOf(part)

const callOf = (call: ToolCall): AssistantPart =>
  call.type === 'function'
    ? { type: 'tool_call', id: call.id, kind: 'function', name: call.function.name, arguments: call.function.arguments }
    : { type: 'tool_call', id: call.id, kind: 'custom', name: call.custom.name, arguments: call.custom.input }
