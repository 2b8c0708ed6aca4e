import { createHash, type Hash } from 'node:crypto'
import type { CompletionRequest } from '@weir/contracts'
import { tokensOf } from './simulated-usage.ts'

/** Prefixes that are remembered, the oldest forgotten first. */
const MOST_PREFIXES = 1_000

export type CacheUse = { cachedInputTokens: number; cacheWriteTokens: number }

/**
 * Remembers the prefixes of prompts that clients mark, for each account by itself. One that is there is read, as far as it goes; what lies between it
 * and the last mark is written. Only this process knows, and only as long as it lives; how long a mark asks for is not heeded.
 */
export function createSimulatedCache() {
  const prefixes = new Set<string>()
  const remember = (prefix: string) => {
    prefixes.delete(prefix)
    prefixes.add(prefix)
    if (prefixes.size > MOST_PREFIXES) prefixes.delete(prefixes.values().next().value!)
  }

  return (model: string, request: CompletionRequest): CacheUse | undefined => {
    if (!isMarked(request)) return undefined
    const marks = marksIn(model, request)
    const read = marks.findLast(({ prefix }) => prefixes.has(prefix))?.tokens ?? 0
    const all = marks.at(-1)?.tokens ?? 0
    for (const { prefix } of marks) remember(prefix)
    return { cachedInputTokens: read, cacheWriteTokens: all - read }
  }
}

/** Most requests have no marks, and pay for a look only. */
function isMarked({ messages, tools }: CompletionRequest): boolean {
  if (tools?.some(({ cache }) => cache)) return true
  return messages.some(
    ({ content, ...message }) =>
      ('cache' in message && message.cache) ||
      (typeof content !== 'string' && content.some((part) => 'cache' in part && part.cache)),
  )
}

/** What stands before each mark: its digest, and its tokens. Tools come first, as for those who really keep them. */
function marksIn(
  model: string,
  { account, messages, tools = [] }: CompletionRequest,
): { prefix: string; tokens: number }[] {
  const marks: { prefix: string; tokens: number }[] = []
  const hash = createHash('sha256').update(JSON.stringify([account, model]))
  let tokens = 0
  const add = (piece: object, cache: object | undefined, role = '') => {
    const { cache: _mark, ...rest } = piece as { cache?: object }
    hash.update(JSON.stringify([role, rest]))
    tokens += tokensOf(piece)
    if (cache) marks.push({ prefix: digestSoFar(hash), tokens })
  }

  for (const tool of tools) add({ ...tool, type: 'tool' }, tool.cache)
  for (const message of messages) {
    const { content, role } = message
    const parts = typeof content === 'string' ? [{ type: 'text' as const, text: content }] : content
    for (const part of parts) add(part, 'cache' in part ? part.cache : undefined, role)
    if (message.role === 'tool' && message.cache) marks.push({ prefix: digestSoFar(hash), tokens })
  }
  return marks
}

const digestSoFar = (hash: Hash): string => hash.copy().digest('base64')
