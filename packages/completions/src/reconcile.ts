import { type CompletionId, decodeJob } from '@weir/contracts'
import type { Admission, Lane, LaneName } from '@weir/queue'
import type { Relay } from '@weir/relay'
import type { Logger } from '@weir/runtime'
import type { CompletionStore, KeptCompletions, OpenCompletion } from '@weir/store'
import { submit } from './hand-over.ts'
import { type FinishDeps, finish, settleDecided } from './finish.ts'
import { expiredOutcome, lostOutcome } from './outcomes.ts'

export type ReconcileDeps = FinishDeps & {
  admission: Pick<Admission, 'hold' | 'leave'>
  completions: Pick<CompletionStore, 'followOpen' | 'openOnes'>
  keptCompletions: Pick<KeptCompletions, 'jobOf'>
  relay: Pick<Relay, 'inspect' | 'submit' | 'claim' | 'prepare' | 'conclude'>
  lanes: Record<LaneName, Pick<Lane, 'enqueue' | 'has'>>
  /** Age at which a completion is first looked at, in milliseconds. */
  afterMs: number
  /** How long Redis must not have known it before it is given up, in milliseconds. */
  lostAfterMs: number
  /** Tells the ledger that these are alive, at most once in `aliveEveryMs` for each. */
  keepAlive: (completions: OpenCompletion[]) => Promise<void>
  aliveEveryMs: number
  /** Told of everything that had to be mended. */
  onFound?: (found: Mended) => void
  log: Logger
}

const PAGE = 500

/** Workers end what is past its deadline; this long after it nobody has, so nobody will. */
const OVERDUE_MS = 10_000

/**
 * Looks after accepted completions that have not ended: settles what was decided, puts back on the lane what the lane has
 * forgotten, ends what is overdue, and releases what Redis has lost. Never the clock alone: it asks the completion.
 */
export function createReconciler(deps: ReconcileDeps) {
  /** Since when each of those that are missing has been. A replica that still waits for one hands it over again. */
  let missing = new Map<CompletionId, number>()
  /** Those that were decided and not settled at the last look: whoever decided them may have been about to. */
  let decided = new Set<CompletionId>()
  /** When each of those that are alive was last said to be. */
  let saidAlive = new Map<CompletionId, number>()

  return async function reconcile(signal: AbortSignal): Promise<void> {
    const missingNow = new Map<CompletionId, number>()
    const decidedNow = new Set<CompletionId>()
    const aliveNow = new Map<CompletionId, number>()
    const toSay: OpenCompletion[] = []
    for await (const completion of allOpen(deps)) {
      if (signal.aborted) return
      const since = missing.get(completion.id)
      const isLost = since !== undefined && Date.now() - since >= deps.lostAfterMs
      try {
        const found = await lookAfter(deps, completion, { isLost, wasDecided: decided.has(completion.id) })
        if (found === 'missing') missingNow.set(completion.id, since ?? Date.now())
        else if (found === 'decided') decidedNow.add(completion.id)
        else if (found === 'alive') {
          const said = saidAlive.get(completion.id) ?? -Infinity
          const isDue = Date.now() - said >= deps.aliveEveryMs
          if (isDue) toSay.push(completion)
          aliveNow.set(completion.id, isDue ? Date.now() : said)
        } else {
          deps.onFound?.(found)
          deps.log.warn({ completion: completion.id }, `reconciled: ${found}`)
        }
      } catch (error) {
        // One that cannot be mended now must not keep the others waiting.
        deps.log.warn({ err: error, completion: completion.id }, 'could not be reconciled')
      }
    }
    missing = missingNow
    decided = decidedNow
    saidAlive = aliveNow
    await deps.keepAlive(toSay)
  }
}

async function* allOpen({ completions, afterMs }: ReconcileDeps): AsyncGenerator<OpenCompletion> {
  await completions.followOpen(afterMs)
  for (let after: CompletionId | undefined; ;) {
    const page = await completions.openOnes({ limit: PAGE, after })
    yield* page
    if (page.length < PAGE) return
    after = page.at(-1)!.id
  }
}

/** What a look mended: nothing of it happens while all is well. */
export const mended = ['released', 'settled', 'expired', 'enqueued', 'handed_over'] as const
export type Mended = (typeof mended)[number]
type Found = 'alive' | 'decided' | 'missing' | Mended

async function lookAfter(
  deps: ReconcileDeps,
  completion: OpenCompletion,
  { isLost, wasDecided }: { isLost: boolean; wasDecided: boolean },
): Promise<Found> {
  const { id, deadlineAt } = completion
  const isOverdue = Date.now() > deadlineAt.getTime() + OVERDUE_MS
  const state = await deps.relay.inspect(id)
  if (!state) return lookForLost(deps, completion, { isLost, isOverdue })
  if (state.decided) {
    if (!wasDecided) return 'decided'
    await settleDecided(deps, completion, state.decided)
    return 'settled'
  }
  if (isOverdue) {
    const claim = await deps.relay.claim(id, { channel: 'reconciler', name: 'reconciler' }, 0)
    // Whatever the claim found, it has shut out every attempt: nobody else will end this one.
    if ('epoch' in claim)
      await finish(deps, { ...completion, epoch: claim.epoch }, { ...expiredOutcome(), attempts: claim.before })
    return 'expired'
  }
  const lane = laneOf(deps, completion)
  if (await lane.has(id)) return 'alive'
  await lane.enqueue(id)
  return 'enqueued'
}

/** What Redis has lost is handed over again where it was kept; else its replica does so, or nobody. */
async function lookForLost(
  deps: ReconcileDeps,
  completion: OpenCompletion,
  { isLost, isOverdue }: { isLost: boolean; isOverdue: boolean },
): Promise<Found> {
  if (isOverdue) {
    await settleDecided(deps, completion, expiredOutcome())
    return 'expired'
  }
  const kept = await deps.keptCompletions.jobOf(completion.id)
  if (kept !== undefined) {
    await submit({ ...deps, lane: laneOf(deps, completion) }, decodeJob(kept), { replyTo: undefined, again: true })
    return 'handed_over'
  }
  if (!isLost) return 'missing'
  await settleDecided(deps, completion, lostOutcome())
  return 'released'
}

const laneOf = ({ lanes }: Pick<ReconcileDeps, 'lanes'>, { ofBatch }: Pick<OpenCompletion, 'ofBatch'>) =>
  lanes[ofBatch ? 'batch' : 'interactive']
