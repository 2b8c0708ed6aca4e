import {
  type AttemptEnd,
  type AttemptRecord,
  type CompletionJob,
  type Outcome,
  type TextChunk,
  newAccountId,
  newCompletionId,
  newKeyId,
} from '@weir/contracts'

/** A completion that somebody waits for, with a minute to run. */
export const jobOf = ({ stream = false, deadlineAt = Date.now() + 60_000 } = {}): CompletionJob => ({
  id: newCompletionId(),
  accountId: newAccountId(),
  keyId: newKeyId(),
  request: { model: 'fast', messages: [{ role: 'user', content: 'Why?' }], maxOutputTokens: 100, stream },
  price: { input: 1n, cachedInput: 1n, output: 2n },
  quote: 1_000n,
  deadlineAt,
  ownDeadline: false,
  kept: false,
  attended: true,
  includeUsage: false,
})

export const streamJob = (): CompletionJob => jobOf({ stream: true })

export const textChunk = (text: string, choice = 0): TextChunk => ({ type: 'text', choice, text })

export const completed = (cost = 7n): Outcome => ({
  state: 'completed',
  usage: { inputTokens: 3, cachedInputTokens: 0, outputTokens: 2, source: 'reported' },
  cost,
  servedBy: 'gpu/small',
  choices: [{ index: 0, parts: [{ type: 'text', text: 'Because.' }], finishReason: 'stop' }],
})

export const cancelled = (): Outcome => ({
  state: 'cancelled',
  usage: { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, source: 'reported' },
  cost: 0n,
  choices: [],
})

/** A first attempt that told its end. */
export const recordOf = (end: AttemptEnd): AttemptRecord => ({
  attempt: 1,
  worker: 'worker',
  startedAt: 1,
  endedAt: 2,
  end,
})
