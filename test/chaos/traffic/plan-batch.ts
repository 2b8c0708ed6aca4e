import { type BatchPlan, twists } from '../history.ts'
import type { Script } from '../model/words.ts'
import type { Random } from '../random.ts'

/** Some go their way undisturbed. */
const weights: Record<BatchPlan['twist'], number> = {
  none: 3,
  cancel: 2,
  max_credits: 2,
  dry_run: 1,
  bad_line: 1,
  cut_upload: 1,
}

/** Decides what a batch is made of. Its lines are short: what is tried is that there are many. */
export function planBatch(random: Random, token: string): BatchPlan {
  const lines = Array.from({ length: random.between(20, 100) }, (_, i) => scriptFor(random, lineToken(token, i + 1)))
  return {
    lines,
    twist: random.pick(twists.flatMap((each) => Array<BatchPlan['twist']>(weights[each]).fill(each))),
    maxCredits: random.between(1, 4),
    badLine: random.between(1, lines.length),
  }
}

export const lineToken = (token: string, line: number): string => `${token}-${line}`

function scriptFor(random: Random, token: string): Script {
  const fails = random.chance(5) ? [random.pick(['refuse', 'cut'] as const)] : []
  const pace = { firstMs: random.between(0, 300), everyMs: random.between(0, 20) }
  return { token, words: random.between(1, 20), ...pace, end: 'stop', fails, filler: 0 }
}
