import type { Message, TextPart } from '@weir/contracts'
import type { z } from 'zod'
import type { AssistantBlock, SystemContent, Turn, UserBlock } from './blocks.ts'
import { cacheControlOf } from './cache-control.ts'
import { notCarried } from './carried.ts'
import { blockOf, textBlockOf } from './parts-from-canonical.ts'
import { inputOf } from './tool-input.ts'

type Texts = z.infer<typeof SystemContent>
type Block = UserBlock | AssistantBlock
type Draft = { role: Turn['role']; content: string | Block[] }

/**
 * The conversation as this API wants it: what is said to the model first stands beside the messages, later words of the
 * system among them; what comes from one side in a row is one turn, results of tools first in line as they came.
 */
export function conversationOf(messages: readonly Message[]): { system?: Texts; messages: Turn[] } {
  const first = messages.findIndex(({ role }) => role !== 'system' && role !== 'developer')
  // A request has to hold a turn; the last of nothing but instructions is one.
  const leading = first < 0 ? messages.length - 1 : first
  const turns: Draft[] = []
  for (const [i, message] of messages.entries()) if (i >= leading) addTurn(turns, turnOf(message, i))
  return { ...systemOf(messages.slice(0, Math.max(leading, 0))), messages: turns as Turn[] }
}

function systemOf(messages: readonly Message[]): { system?: Texts } {
  const contents = messages.map((message, i) => textsOf(message, i))
  if (contents.length === 0) return {}
  return { system: contents.length === 1 ? contents[0]! : contents.flatMap(blocksOf) }
}

function addTurn(turns: Draft[], turn: Draft): void {
  const last = turns.at(-1)
  if (!last || last.role !== turn.role || turn.role === 'system') turns.push(turn)
  else last.content = [...blocksOf(last.content as string), ...blocksOf(turn.content as string)]
}

const blocksOf = <Each extends Block>(content: string | Each[]): (Each | { type: 'text'; text: string })[] =>
  typeof content === 'string' ? [{ type: 'text' as const, text: content }] : content

function turnOf(message: Message, i: number): Draft {
  switch (message.role) {
    case 'system':
    case 'developer':
      return { role: 'system', content: textsOf(message, i) as string | Block[] }
    case 'user':
      assertNameless(message, i)
      return {
        role: 'user',
        content: contentOf(message.content, (part, j) => blockOf(part, `messages[${i}].content[${j}]`)),
      }
    case 'assistant':
      assertNameless(message, i)
      return { role: 'assistant', content: contentOf(message.content, assistantBlockOf) }
    case 'tool':
      return { role: 'user', content: [toolResultOf(message, i)] }
  }
}

/** Empty texts beside other parts say nothing, and the API refuses them. */
function contentOf<Part extends { type: string }>(
  content: string | readonly Part[],
  read: (part: Part, j: number) => Block,
): string | Block[] {
  if (typeof content === 'string') return content
  const blocks = content.map(read)
  const said = blocks.filter((block) => block.type !== 'text' || block.text !== '')
  return said.length === 0 ? blocks : said
}

type AssistantMessage = Extract<Message, { role: 'assistant' }>
type AssistantPart = Exclude<AssistantMessage['content'], string>[number]

function assistantBlockOf(part: AssistantPart): AssistantBlock {
  switch (part.type) {
    case 'text':
      return textBlockOf(part)
    case 'refusal':
      return { type: 'text', text: part.text }
    case 'reasoning':
      if (part.signature === undefined)
        throw notCarried('messages', 'this model takes back only reasoning that it has signed, so leave out the rest')
      return { type: 'thinking', thinking: part.text, signature: part.signature }
    case 'redacted_reasoning':
      return { type: 'redacted_thinking', data: part.data }
    case 'tool_call':
      if (part.kind === 'custom') throw notCarried('messages', 'this model calls functions only, not custom tools')
      return {
        type: 'tool_use',
        id: part.id,
        name: part.name,
        input: inputOf(part.arguments),
        ...cacheControlOf(part.cache),
      }
  }
}

function toolResultOf(message: Extract<Message, { role: 'tool' }>, i: number): UserBlock {
  const { callId, content, isError, cache } = message
  return {
    type: 'tool_result',
    tool_use_id: callId,
    content:
      typeof content === 'string' ? content : content.map((part, j) => blockOf(part, `messages[${i}].content[${j}]`)),
    ...(isError === undefined ? {} : { is_error: isError }),
    ...cacheControlOf(cache),
  }
}

function textsOf(message: Message, i: number): Texts {
  assertNameless(message, i)
  const content = message.content as string | TextPart[]
  return typeof content === 'string' ? content : content.map(textBlockOf)
}

function assertNameless(message: Message, i: number): void {
  if ('name' in message && message.name !== undefined) throw notCarried(`messages[${i}].name`)
}
