import { createHash } from 'node:crypto'
import type { CompletionRequest } from '@weir/contracts'

const TOKENS_BY_EFFORT = { none: 0, minimal: 4, low: 8, medium: 16, high: 32, xhigh: 48, max: 64 }

/** How long a request wants its model to think: not at all unless it says so, and never beyond its budget. */
export function reasoningTokensOf({ reasoning }: Pick<CompletionRequest, 'reasoning'>): number {
  if (!reasoning) return 0
  const { effort, thinking } = reasoning
  if (thinking?.type === 'disabled' || (!effort && !thinking)) return 0
  const wanted = TOKENS_BY_EFFORT[effort ?? 'medium']
  return thinking?.type === 'enabled' ? Math.min(wanted, thinking.budgetTokens) : wanted
}

/** By this a vendor knows its own reasoning again; here it only has to come back as it went. */
export const signatureOf = (reasoning: string): string =>
  createHash('sha256').update(`simulated ${reasoning}`).digest('base64')
