import { type Condition, type Microcredits, type Need, type RequestDraft, needsOf } from '@weir/contracts'
import { roughInputTokens } from './tokens.ts'

/** What conditions look at. `quote` is absent where nobody has made one yet: then no ceiling is in the way. */
export type Looked = { needs: ReadonlySet<Need>; promptTokens: number; quote?: Microcredits }

/** A request as conditions see it. No tokenizer runs: what decides about a route need not be exact. */
export function lookAt(draft: RequestDraft, quote?: Microcredits): Looked {
  const needs = new Set<Need>(needsOf(draft))
  if (needs.has('json_object') || needs.has('json_schema')) needs.add('json')
  const promptTokens = roughInputTokens(draft)
  return quote === undefined ? { needs, promptTokens } : { needs, promptTokens, quote }
}

export function holds(
  { needs = [], minPromptTokens = 0, maxPromptTokens = Infinity, maxPrice }: Condition,
  looked: Looked,
): boolean {
  if (!needs.every((need) => looked.needs.has(need))) return false
  if (looked.promptTokens < minPromptTokens || looked.promptTokens > maxPromptTokens) return false
  return maxPrice === undefined || looked.quote === undefined || looked.quote <= maxPrice
}
