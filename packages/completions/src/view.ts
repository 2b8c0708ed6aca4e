import {
  type AccountId,
  type AttemptRecord,
  type ChoiceResult,
  type CompletionId,
  type EndState,
  type OutcomeError,
  type Outcome,
  decodeOutcome,
} from '@weir/contracts'
import type { Lane } from '@weir/queue'
import type { Inspection, Relay } from '@weir/relay'
import type { CompletionRecord, CompletionRecords, KeptCompletions } from '@weir/store'

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
  return { record, status, queuePosition, choices: [], error: undefined, attempts: state?.attempts ?? [] }
}

async function endedView(deps: ViewDeps, accountId: AccountId, record: CompletionRecord): Promise<CompletionView> {
  const end = record.end!
  const kept = await deps.keptCompletions.outcomeOf(accountId, record.id)
  const outcome = kept === undefined ? (await deps.relay.inspect(record.id))?.decided : decodeOutcome(kept)
  return {
    record,
    status: end.state,
    queuePosition: undefined,
    choices: outcome ? await textOf(deps, record, outcome) : [],
    error: outcome?.error ?? endErrorOf(record),
    attempts: end.attemptLog,
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
      if (record.end) return { ...shared, status: record.end.state, attempts: record.end.attemptLog }
      const state = await deps.relay.inspect(record.id)
      return { ...shared, status: statusOf(state), attempts: state?.attempts ?? [] }
    }),
  )
}

const statusOf = (state: Inspection | undefined) =>
  state?.isRunning || state?.decided ? ('in_progress' as const) : ('queued' as const)

const endErrorOf = ({ end }: CompletionRecord): OutcomeError | undefined =>
  end?.errorCode ? { code: end.errorCode, message: `The completion ended as ${end.state}.` } : undefined

const PAGE = 1_000

/** The text of a stream that is not kept is in its frames, for as long as those are. */
async function textOf(deps: ViewDeps, { id, stream }: CompletionRecord, { choices }: Outcome): Promise<ChoiceResult[]> {
  if (!stream || choices.some(({ text }) => text !== '')) return choices
  const whole = choices.map((choice) => ({ ...choice }))
  for (let after = { epoch: 0, sequence: 0 }; ;) {
    const frames = await deps.relay.framesAfter(id, after, PAGE)
    for (const { chunks } of frames) {
      for (const chunk of chunks) {
        const choice = whole.find(({ index }) => 'choice' in chunk && index === chunk.choice)
        if (choice && chunk.type === 'text') choice.text += chunk.text
      }
    }
    const last = frames.at(-1)
    if (!last || frames.length < PAGE) return whole
    after = last
  }
}
