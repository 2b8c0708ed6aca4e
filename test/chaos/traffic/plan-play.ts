import type { Kind, Play } from '../history.ts'
import type { Script } from '../model/words.ts'
import type { Random } from '../random.ts'
import { planBatch } from './plan-batch.ts'

/** How often each kind comes, beside the others. */
const weights: Record<Kind, number> = {
  plain: 4,
  stream: 4,
  slow: 1,
  leave: 3,
  background: 4,
  resume: 4,
  cancel: 3,
  keyed: 4,
  prefer: 1,
  deadline: 1,
  batch: 3,
}

/** Kinds whose answer is a stream always, never, or by chance. */
const streams: Record<Kind, boolean | undefined> = {
  plain: false,
  stream: true,
  slow: true,
  leave: undefined,
  background: undefined,
  resume: true,
  cancel: undefined,
  keyed: undefined,
  prefer: false,
  deadline: undefined,
  batch: false,
}

export type Cast = { kinds: readonly Kind[]; accounts: number; replicas: number }

/** Decides everything about a client's next play, so that the same seed plays the same, whatever the answers are. */
export function planPlay(random: Random, number: number, { kinds, accounts, replicas }: Cast): Play {
  const kind = random.pick(kinds.flatMap((each) => Array<Kind>(weights[each]).fill(each)))
  const token = `t${number}`
  const script = scriptFor(kind, random, token)
  return {
    number,
    kind,
    account: random.between(0, accounts - 1),
    replica: random.between(0, replicas - 1),
    stream: streams[kind] ?? random.chance(50),
    includeUsage: random.chance(50),
    script,
    afterEvents: random.between(1, 12),
    afterMs: random.between(0, 1_500),
    pauseMs: random.between(0, 600),
    drops: Array.from({ length: random.between(1, 3) }, () => random.between(1, 10)),
    batch: kind === 'batch' ? planBatch(random, token) : undefined,
  }
}

function scriptFor(kind: Kind, random: Random, token: string): Script {
  const fails = Array.from({ length: random.between(1, 2) }, () => random.pick(['refuse', 'cut'] as const))
  const script: Script = {
    token,
    words: random.between(1, 60),
    // Some think for so long that their worker is lost before it has said a word.
    firstMs: random.chance(25) ? random.between(500, 2_500) : random.between(0, 300),
    everyMs: random.between(0, 40),
    end: random.pick(['stop', 'stop', 'length', 'silent']),
    fails: random.chance(12) ? fails : [],
    filler: 0,
  }
  // Enough text to fill every buffer between the model and a reader that rests.
  if (kind === 'slow')
    return { ...script, words: random.between(150, 300), everyMs: 0, filler: 8_192, end: 'stop', fails: [] }
  // Long enough to be reached by what is done to it.
  if (kind === 'resume' || kind === 'cancel')
    return { ...script, words: script.words + 20, everyMs: script.everyMs + 15 }
  // Never in time.
  if (kind === 'deadline') return { ...script, words: 200, everyMs: 50, fails: [] }
  return script
}
