import { type ChoiceResult, type FinishReason, type Microcredits, type Usage, creditsNumber } from '@weir/contracts'

/** What all parts of an answer repeat. `created` is in seconds since the epoch. */
export type AnswerHead = { id: string; created: number; model: string }

/** `clampedTo` is the output cap, where it was lowered to what the account could pay for. */
export function renderUsage(usage: Usage, charged: Microcredits, clampedTo?: number) {
  const promptTokens = usage.inputTokens + usage.cachedInputTokens
  return {
    prompt_tokens: promptTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: promptTokens + usage.outputTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedInputTokens },
    credits_consumed: creditsNumber(charged),
    clamped_max_tokens: clampedTo,
  }
}

export function renderCompletion(
  head: AnswerHead,
  choices: readonly ChoiceResult[],
  usage: Usage,
  charged: Microcredits,
  clampedTo?: number,
) {
  return {
    id: head.id,
    object: 'chat.completion' as const,
    created: head.created,
    model: head.model,
    choices: choices.map(renderChoice),
    usage: renderUsage(usage, charged, clampedTo),
  }
}

export const renderChoice = ({ index, text, finishReason }: ChoiceResult) => ({
  index,
  message: { role: 'assistant' as const, content: text, refusal: null },
  finish_reason: finishReason,
  logprobs: null,
})

export type ChunkRenderer = {
  /** The role, before the first text of a choice. */
  role(choice: number): string
  text(choice: number, text: string): string
  finish(choice: number, reason: FinishReason): string
  /** The last chunk, for clients that asked for it. */
  usage(usage: Usage, charged: Microcredits, clampedTo?: number): string
}

/**
 * Renders the chunks of one stream as server-sent events. All that repeats is rendered once; per chunk only the text is.
 * With `includeUsage` every chunk but the last says `usage: null`, as the specification wants.
 */
export function createChunkRenderer(head: AnswerHead, options: { includeUsage: boolean }): ChunkRenderer {
  const { id, created, model } = head
  const opening = JSON.stringify({ id, object: 'chat.completion.chunk', created, model }).slice(0, -1)
  const before = `data: ${opening},"choices":[{"index":`
  const noUsage = options.includeUsage ? ',"usage":null' : ''
  const open = `,"finish_reason":null,"logprobs":null}]${noUsage}}\n\n`

  return {
    role: (choice) => `${before}${choice},"delta":{"role":"assistant","content":"","refusal":null}${open}`,
    text: (choice, text) => `${before}${choice},"delta":{"content":${JSON.stringify(text)}}${open}`,
    finish: (choice, reason) =>
      `${before}${choice},"delta":{},"finish_reason":"${reason}","logprobs":null}]${noUsage}}\n\n`,
    usage: (usage, charged, clampedTo) =>
      `data: ${opening},"choices":[],"usage":${JSON.stringify(renderUsage(usage, charged, clampedTo))}}\n\n`,
  }
}

export const streamDone = 'data: [DONE]\n\n'
