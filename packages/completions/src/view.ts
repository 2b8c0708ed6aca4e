import {
  type AccountId,
  type AttemptRecord,
  type ChoiceResult,
  type CompletionId,
  type EndState,
  type OutcomeError,
  type Outcome,
  decodeOutcome,
  gather,
} from '@weir/contracts'
import type { Lane } from '@weir/queue'
import type { Inspection, Relay } from '@weir/relay'
import type { CompletionEnd, CompletionRecord, CompletionRecords, KeptCompletions } from '@weir/store'
import { abandonedOutcome, expiredOutcome, lostOutcome } from './outcomes.ts'

export type ViewDeps = {
  completionRecords: Pick<CompletionRecords, 'find'>
  keptCompletions: Pick<KeptCompletions, 'outcomeOf'>
  relay: Pick<Relay, 'inspect' | 'framesAfter'>
  lane: Pick<Lane, 'positionOf'>
}

/** A completion as its owner sees it, at any time of its life. */
export type CompletionView = {
  record: CompletionRecord
  status: 'queued' | 'in_progress' | EndState
  /** How many wait before it; only while it waits for a worker. */
  queuePosition: number | undefined
  /** What it said, as far as it is kept. */
  choices: ChoiceResult[]
  error: OutcomeError | undefined
  attempts: AttemptRecord[]
  /** What its client asked for by name, where that is known. */
  requested: string | undefined
}

/** Undefined when the account has no such completion, or no more. */
export async function viewOf(
  deps: ViewDeps,
  accountId: AccountId,
  id: CompletionId,
): Promise<CompletionView | undefined> {
  const record = await deps.completionRecords.find(accountId, id)
  if (!record || record.isDeleted) return undefined
  if (record.end) return endedView(deps, accountId, record)

  const state = await deps.relay.inspect(id)
  const status = statusOf(state)
  const queuePosition = status === 'queued' ? await deps.lane.positionOf(id) : undefined
  const attempts = state?.attempts ?? []
  return {
    record,
    status,
    queuePosition,
    choices: [],
    error: undefined,
    attempts,
    requested: requestedOf(attempts, state),
  }
}

async function endedView(deps: ViewDeps, accountId: AccountId, record: CompletionRecord): Promise<CompletionView> {
  const end = record.end!
  const kept = await deps.keptCompletions.outcomeOf(accountId, record.id)
  const outcome = kept === undefined ? (await deps.relay.inspect(record.id))?.decided : decodeOutcome(kept)
  return {
    record,
    status: end.state,
    queuePosition: undefined,
    choices: outcome ? await saidIn(deps, record, outcome) : [],
    error: outcome?.error ?? endErrorOf(record),
    attempts: end.attemptLog,
    requested: requestedOf(end.attemptLog),
  }
}

/** How each of a listing stands, without what it said. */
export async function statusesOf(
  deps: Pick<ViewDeps, 'relay'>,
  records: readonly CompletionRecord[],
): Promise<CompletionView[]> {
  return Promise.all(
    records.map(async (record) => {
      const shared = { record, queuePosition: undefined, choices: [], error: endErrorOf(record) }
      const state = record.end ? undefined : await deps.relay.inspect(record.id)
      const attempts = record.end?.attemptLog ?? state?.attempts ?? []
      const status = record.end?.state ?? statusOf(state)
      return { ...shared, status, attempts, requested: requestedOf(attempts, state) }
    }),
  )
}

/** The state in Redis knows it from the beginning, the attempts for as long as there is a row. */
const requestedOf = (attempts: readonly AttemptRecord[], state?: Inspection): string | undefined =>
  state?.requested ?? attempts.findLast(({ requested }) => requested !== undefined)?.requested

const statusOf = (state: Inspection | undefined) =>
  state?.isRunning || state?.decided ? ('in_progress' as const) : ('queued' as const)

const endErrorOf = ({ end }: CompletionRecord): OutcomeError | undefined =>
  end?.errorCode ? { code: end.errorCode, message: end.attemptLog.at(-1)?.message ?? wordsFor(end) } : undefined

/** Where no attempt has told why. */
function wordsFor({ state, errorCode, attemptLog }: CompletionEnd): string {
  const ends = [expiredOutcome(), lostOutcome(), ...(attemptLog.length === 0 ? [abandonedOutcome()] : [])]
  const same = ends.find((end) => end.state === state && end.error?.code === errorCode)
  return same?.error?.message ?? messages[state]
}

const messages: Record<EndState, string> = {
  completed: '',
  failed: 'The completion failed. It costs nothing.',
  cancelled: 'The completion was cancelled. What it had used until then is charged.',
  expired: 'The completion did not finish in time.',
}

const PAGE = 1_000

/** What a stream said that is not kept is in its frames, for as long as those are. */
async function saidIn(deps: ViewDeps, { id, stream }: CompletionRecord, { choices }: Outcome): Promise<ChoiceResult[]> {
  if (!stream || choices.some(({ parts }) => parts.length > 0)) return choices
  const said: ChoiceResult[] = []
  for (let after = { epoch: 0, sequence: 0 }; ;) {
    const frames = await deps.relay.framesAfter(id, after, PAGE)
    for (const { chunks } of frames) for (const chunk of chunks) if (chunk.type !== 'usage') gather(said, chunk)
    const last = frames.at(-1)
    // Where its frames are gone there are still its ends.
    if (!last || frames.length < PAGE) return said.length > 0 ? said : choices
    after = last
  }
}
