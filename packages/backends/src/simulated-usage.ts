import type { CompletionRequest, Message, Tool } from '@weir/contracts'
import { countWords } from './simulated-text.ts'

type Part = Exclude<Message['content'], string>[number]

const TOKENS_PER_IMAGE = 85
const BYTES_PER_AUDIO_TOKEN = 1_000
const CHARACTERS_PER_TOKEN = 8

/** Tokens of a prompt as a stand-in counts them: a word is one. */
export function inputTokensOf({ messages, tools, responseFormat }: CompletionRequest): number {
  let tokens = 0
  for (const { content } of messages) {
    if (typeof content === 'string') tokens += countWords(content)
    else for (const part of content) tokens += tokensOf(part)
  }
  for (const tool of tools ?? []) tokens += tokensOf({ ...tool, type: 'tool' })
  if (responseFormat) tokens += described(responseFormat)
  return Math.max(1, tokens)
}

/** Tokens of one part, or of a tool as it is described. */
export function tokensOf(part: Part | (Tool & { type: 'tool' }) | object): number {
  const known = part as Part | (Tool & { type: 'tool' })
  switch (known.type) {
    case 'text':
    case 'refusal':
    case 'reasoning':
      return countWords(known.text)
    case 'image':
      return TOKENS_PER_IMAGE
    case 'audio':
      return Math.ceil(known.data.length / BYTES_PER_AUDIO_TOKEN)
    case 'file':
      if (known.source.kind === 'text') return countWords(known.source.text)
      return known.source.kind === 'base64' ? Math.ceil(known.source.data.length / CHARACTERS_PER_TOKEN) : 1
    case 'tool_call':
      return 1 + countWords(known.arguments)
    case 'redacted_reasoning':
      return 1
    case 'tool':
      return described(known)
  }
}

const described = (value: object): number => Math.ceil(JSON.stringify(value).length / CHARACTERS_PER_TOKEN)
