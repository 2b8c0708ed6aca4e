import type { RequestDraft } from '@weir/contracts'

export type Effort = NonNullable<NonNullable<RequestDraft['reasoning']>['effort']>

/** Up to so many tokens of thought are this much effort. */
const efforts: readonly [mostTokens: number, effort: Effort][] = [
  [4_096, 'low'],
  [16_384, 'medium'],
  [32_768, 'high'],
  [Infinity, 'xhigh'],
]

/**
 * The effort that a request asks for. A budget of tokens becomes the word that is nearest to it; a model that may choose
 * how much it thinks gets no word.
 */
export function effortOf({ reasoning }: Pick<RequestDraft, 'reasoning'>): Effort | undefined {
  const { effort, thinking } = reasoning ?? {}
  if (effort) return effort
  if (thinking?.type === 'disabled') return 'none'
  if (thinking?.type !== 'enabled') return undefined
  return efforts.find(([mostTokens]) => thinking.budgetTokens <= mostTokens)?.[1]
}
