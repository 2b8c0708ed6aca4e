import type { AssistantPart, CacheMark, FilePart, ImagePart, Message, TextPart, ToolResultPart } from '@weir/contracts'
import type { z } from 'zod'
import type {
  AssistantBlock,
  CacheControl,
  DocumentBlock,
  ImageBlock,
  TextBlock,
  ToolResultBlock,
  Turn,
  UserBlock,
} from './blocks.ts'
import { cacheOf } from './cache-control.ts'
import type { CountTokensRequest } from './request.ts'
import { argumentsOf } from './tool-input.ts'

type TextBlock_ = z.infer<typeof TextBlock>

/** The conversation, its system prompt first. A turn that holds results of tools becomes several messages, in its order. */
export function messagesOf({ system, messages }: Pick<CountTokensRequest, 'system' | 'messages'>): Message[] {
  const turns = messages.flatMap(messagesOfTurn)
  return system ? [{ role: 'system', content: textsOf(system) }, ...turns] : turns
}

function messagesOfTurn(turn: Turn): Message[] {
  switch (turn.role) {
    case 'system':
      return [{ role: 'system', content: textsOf(turn.content) }]
    case 'assistant':
      return [
        {
          role: 'assistant',
          content: typeof turn.content === 'string' ? turn.content : turn.content.map(assistantPartOf),
        },
      ]
    case 'user':
      return typeof turn.content === 'string' ? [{ role: 'user', content: turn.content }] : userMessagesOf(turn.content)
  }
}

function userMessagesOf(blocks: readonly UserBlock[]): Message[] {
  const messages: Message[] = []
  for (const block of blocks) {
    if (block.type === 'tool_result') {
      messages.push(toolMessageOf(block))
      continue
    }
    const last = messages.at(-1)
    const part = partOf(block)
    if (last?.role === 'user' && typeof last.content !== 'string') last.content.push(part)
    else messages.push({ role: 'user', content: [part] })
  }
  return messages
}

const toolMessageOf = (block: ToolResultBlock): Message => ({
  role: 'tool',
  callId: block.tool_use_id,
  content: typeof block.content === 'string' ? block.content : (block.content?.map(partOf) ?? ''),
  ...(typeof block.is_error === 'boolean' ? { isError: block.is_error } : {}),
  ...cacheOf(block.cache_control),
})

function assistantPartOf(block: AssistantBlock): AssistantPart {
  switch (block.type) {
    case 'text':
      return textPartOf(block)
    case 'thinking':
      return { type: 'reasoning', text: block.thinking, ...(block.signature ? { signature: block.signature } : {}) }
    case 'redacted_thinking':
      return { type: 'redacted_reasoning', data: block.data }
    case 'tool_use': {
      const { id, name, input } = block
      return {
        type: 'tool_call',
        id,
        kind: 'function',
        name,
        arguments: argumentsOf(input),
        ...cacheOf(block.cache_control),
      }
    }
  }
}

function partOf(block: TextBlock_ | ImageBlock | DocumentBlock): ToolResultPart {
  if (block.type === 'text') return textPartOf(block)
  return block.type === 'image' ? imagePartOf(block) : filePartOf(block)
}

const textPartOf = ({ text, cache_control }: TextBlock_): TextPart => ({
  type: 'text',
  text,
  ...cacheOf(cache_control),
})

const textsOf = (content: string | readonly TextBlock_[]): string | TextPart[] =>
  typeof content === 'string' ? content : content.map(textPartOf)

const imagePartOf = ({ source, cache_control }: ImageBlock): ImagePart => ({
  type: 'image',
  source:
    source.type === 'url'
      ? { kind: 'url', url: source.url }
      : { kind: 'base64', mediaType: source.media_type, data: source.data },
  ...cacheOf(cache_control),
})

const filePartOf = ({ source, title, cache_control }: DocumentBlock): FilePart => ({
  type: 'file',
  source: fileSourceOf(source),
  ...(title ? { name: title } : {}),
  ...cacheOf(cache_control),
})

function fileSourceOf(source: DocumentBlock['source']): FilePart['source'] {
  switch (source.type) {
    case 'url':
      return { kind: 'url', url: source.url }
    case 'text':
      return { kind: 'text', text: source.data }
    case 'base64':
      return { kind: 'base64', mediaType: source.media_type, data: source.data }
  }
}

/** A mark at the top of a request stands for one on its last block that can have one; a block's own mark stays. */
export function withLastMarked(messages: readonly Message[], control: CacheControl): Message[] {
  const { cache } = cacheOf(control)
  const result = [...messages]
  for (let i = result.length - 1; i >= 0; i -= 1) {
    const marked = cache && result[i] && markedMessage(result[i]!, cache)
    if (!marked) continue
    result[i] = marked
    break
  }
  return result
}

function markedMessage(message: Message, cache: CacheMark): Message | undefined {
  if (message.role === 'tool') return { cache, ...message }
  if (typeof message.content === 'string')
    return { ...message, content: [{ type: 'text', text: message.content, cache }] }
  const last = message.content.findLastIndex(isMarkable)
  if (last < 0) return undefined
  const content = message.content.map((part, i) => (i === last ? { cache, ...part } : part))
  return { ...message, content } as Message
}

const isMarkable = ({ type }: { type: string }) =>
  type === 'text' || type === 'image' || type === 'file' || type === 'tool_call'
