import { createHash } from 'node:crypto'
import { type CompletionRequest, type FinishReason, type Target, type Usage } from '@weir/contracts'
import { targetName } from './backend.ts'
import { textOf } from './tokens.ts'

const WORDS =
  `a river weir holds back the water and lets it pass over the sill in an even sheet so that mills and fields
  below never see flood nor drought while boats wait in the lock for the gates to open`.split(/\s+/)

/** An answer made up in advance: one token is one word with the space before it. */
export type SimulatedAnswer = { tokens: string[]; finish: FinishReason; usage: Usage }

/** The same request gets the same answer. It begins by saying that it is simulated, and by whom. */
export function simulatedAnswerOf(request: CompletionRequest, target: Target, outputTokens: number): SimulatedAnswer {
  const length = Math.min(outputTokens, request.maxOutputTokens)
  const written = wordsOf(request, target, length)
  const tokens = upToStop(written, request.stop ?? [])
  const isStopped = tokens !== written
  return {
    tokens,
    finish: !isStopped && outputTokens > request.maxOutputTokens ? 'length' : 'stop',
    usage: {
      inputTokens: Math.max(
        1,
        request.messages.reduce((sum, message) => sum + countWords(textOf(message)), 0),
      ),
      cachedInputTokens: 0,
      outputTokens: tokens.length,
      source: 'reported',
    },
  }
}

function wordsOf(request: CompletionRequest, target: Target, length: number): string[] {
  const tokens = ['Simulated', ' answer', ' from', ` ${targetName(target)}:`].slice(0, length)
  const seed = createHash('sha256')
    .update(JSON.stringify([request.messages, request.seed]))
    .digest()
    .readUInt32LE()
  for (let i = tokens.length; i < length; i += 1) tokens.push(` ${WORDS[(seed + i) % WORDS.length]}`)
  return tokens
}

/** The tokens before the first stop sequence, the last one cut where it begins; the same array when there is none. */
function upToStop(tokens: string[], stop: readonly string[]): string[] {
  if (stop.length === 0) return tokens
  const text = tokens.join('')
  const found = stop.filter((sequence) => sequence !== '' && text.includes(sequence))
  if (found.length === 0) return tokens

  let left = Math.min(...found.map((sequence) => text.indexOf(sequence)))
  const kept: string[] = []
  for (const token of tokens) {
    if (left <= 0) break
    kept.push(token.slice(0, left))
    left -= token.length
  }
  return kept
}

const countWords = (text: string): number => text.match(/\S+/g)?.length ?? 0
