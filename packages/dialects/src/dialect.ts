import type { Capability, ChoiceChunk, ChoiceResult, Microcredits, ServiceError, Usage } from '@weir/contracts'

/** What all parts of an answer repeat. `created` is in seconds since the epoch. */
export type AnswerHead = { id: string; created: number; model: string }

/** What an answer used and cost. `clampedTo` is the output cap, where it was lowered to what the account could pay for. */
export type Bill = { usage: Usage; charged: Microcredits; clampedTo?: number | undefined }

/** What a model's bounds and capabilities may refuse. */
export type Refusable =
  | Capability
  | 'maxOutputTokens'
  | 'temperature'
  | 'topP'
  | 'topK'
  | 'frequencyPenalty'
  | 'presencePenalty'
  | 'model'
  | 'messages'
  | 'images'

/** The field of a request that asks for something, as a client would write it; of images, which one, counted from 1. */
export type ParamOf = (what: Refusable, nth?: number) => string

/** How a client is answered, in the words of the API that it speaks. All of it is pure. */
export type Dialect = {
  name: 'openai' | 'anthropic'
  renderAnswer(head: AnswerHead, choices: readonly ChoiceResult[], bill: Bill): object
  createStreamRenderer(head: AnswerHead, options: { includeUsage: boolean }): StreamRenderer
  renderError(error: ServiceError, requestId?: string): object
  /** An error after the first byte: every client turns it into an exception. */
  renderErrorEvent(error: ServiceError, requestId?: string): string
  paramOf: ParamOf
  /** The same for one body: where several fields ask for the same, the one that was sent. */
  paramIn(body: Record<string, unknown>): ParamOf
}

/** Renders one stream as server-sent events, each as its whole text. The same chunks become the same events, however they are asked for. */
export type StreamRenderer = {
  chunk(chunk: ChoiceChunk): readonly string[]
  /** After the last chunk of a completed answer. */
  end(bill: Bill): readonly string[]
}
