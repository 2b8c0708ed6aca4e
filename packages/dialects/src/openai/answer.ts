import {
  type AnswerPart,
  type ChoiceChunk,
  type ChoiceResult,
  type FinishReason,
  creditsNumber,
  generatedTokens,
  promptTokens,
  textOfAnswer,
} from '@weir/contracts'
import type { AnswerHead, Bill, StreamRenderer } from '../dialect.ts'
import { renderLogprobs } from './logprobs.ts'

export function renderUsage({ usage, charged, clampedTo }: Bill) {
  const prompt = promptTokens(usage)
  const completion = generatedTokens(usage)
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: {
      cached_tokens: usage.cachedInputTokens,
      ...(usage.cacheWriteTokens && { cache_write_tokens: usage.cacheWriteTokens }),
    },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
    credits_consumed: creditsNumber(charged),
    clamped_max_tokens: clampedTo,
  }
}

export function renderAnswer(head: AnswerHead, choices: readonly ChoiceResult[], bill: Bill) {
  return {
    id: head.id,
    object: 'chat.completion' as const,
    created: head.created,
    model: head.model,
    choices: choices.map(renderChoice),
    usage: renderUsage(bill),
  }
}

/** Reasoning goes out as `reasoning_content`, as vLLM, DeepSeek and the AI SDK read it; signatures have no place in this dialect. */
export function renderChoice(choice: ChoiceResult) {
  const { index, parts, finishReason } = choice
  const text = textOfAnswer(choice)
  const refusal = joinedText(parts, 'refusal')
  const reasoning = joinedText(parts, 'reasoning')
  const calls = parts.filter((part) => part.type === 'tool_call').map(renderCall)
  const hasText = parts.some(({ type }) => type === 'text') || (calls.length === 0 && refusal === undefined)
  return {
    index,
    message: {
      role: 'assistant' as const,
      content: hasText ? text : null,
      refusal: refusal ?? null,
      ...(reasoning === undefined ? {} : { reasoning_content: reasoning }),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
    },
    finish_reason: finishReasons[finishReason],
    logprobs: renderLogprobs(parts.flatMap((part) => (part.type === 'text' ? (part.logprobs ?? []) : []))),
  }
}

const finishReasons = {
  stop: 'stop',
  length: 'length',
  context_window: 'length',
  tool_calls: 'tool_calls',
  content_filter: 'content_filter',
} as const satisfies Record<FinishReason, string>

function joinedText(parts: readonly AnswerPart[], type: 'refusal' | 'reasoning'): string | undefined {
  const found = parts.filter((part) => part.type === type)
  return found.length === 0 ? undefined : found.map((part) => (part as { text: string }).text).join('')
}

type Call = { id: string; kind: 'function' | 'custom'; name: string; arguments: string }

const renderCall = ({ id, kind, name, arguments: text }: Call) =>
  kind === 'custom'
    ? { id, type: 'custom' as const, custom: { name, input: text } }
    : { id, type: 'function' as const, function: { name, arguments: text } }

/**
 * Renders the chunks of one stream. All that repeats is rendered once; per chunk only the text is. With `includeUsage`
 * every chunk but the last says `usage: null`, as the specification wants.
 */
export function createStreamRenderer(head: AnswerHead, options: { includeUsage: boolean }): StreamRenderer {
  const { id, created, model } = head
  const opening = JSON.stringify({ id, object: 'chat.completion.chunk', created, model }).slice(0, -1)
  const before = `data: ${opening},"choices":[{"index":`
  const noUsage = options.includeUsage ? ',"usage":null' : ''
  const begun = new Set<number>()
  const customCalls = new Set<string>()

  const delta = (choice: number, text: string, logprobs = 'null') =>
    `${before}${choice},"delta":${text},"finish_reason":null,"logprobs":${logprobs}}]${noUsage}}\n\n`

  function render(chunk: ChoiceChunk): string | undefined {
    const { choice } = chunk
    switch (chunk.type) {
      case 'text':
        return delta(
          choice,
          `{"content":${JSON.stringify(chunk.text)}}`,
          chunk.logprobs && JSON.stringify(renderLogprobs(chunk.logprobs)),
        )
      case 'reasoning':
        return delta(choice, `{"reasoning_content":${JSON.stringify(chunk.text)}}`)
      case 'refusal':
        return delta(choice, `{"refusal":${JSON.stringify(chunk.text)}}`)
      case 'tool_call': {
        if (chunk.kind === 'custom') customCalls.add(`${choice} ${chunk.call}`)
        const call = { index: chunk.call, ...renderCall({ ...chunk, arguments: '' }) }
        return delta(choice, `{"tool_calls":[${JSON.stringify(call)}]}`)
      }
      case 'arguments': {
        const isCustom = customCalls.size > 0 && customCalls.has(`${choice} ${chunk.call}`)
        const name = isCustom ? '"custom":{"input"' : '"function":{"arguments"'
        return delta(choice, `{"tool_calls":[{"index":${chunk.call},${name}:${JSON.stringify(chunk.text)}}}]}`)
      }
      case 'finish':
        return `${before}${choice},"delta":{},"finish_reason":"${finishReasons[chunk.reason]}","logprobs":null}]${noUsage}}\n\n`
      case 'signature':
      case 'redacted_reasoning':
        return undefined
    }
  }

  return {
    chunk(chunk) {
      const event = render(chunk)
      if (event === undefined) return []
      if (begun.has(chunk.choice)) return [event]
      begun.add(chunk.choice)
      // Content is null until there is text, so that an answer of tool calls alone has none, as in its plain form.
      const content = chunk.type === 'text' || chunk.type === 'finish' ? '""' : 'null'
      return [delta(chunk.choice, `{"role":"assistant","content":${content},"refusal":null}`), event]
    },
    end(bill) {
      if (!options.includeUsage) return [streamDone]
      return [`data: ${opening},"choices":[],"usage":${JSON.stringify(renderUsage(bill))}}\n\n`, streamDone]
    },
  }
}

const streamDone = 'data: [DONE]\n\n'
