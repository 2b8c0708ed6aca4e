import { type FollowDeps, type FollowEvent, type RejoinDeps, follow, rejoin } from '@weir/completions'
import { type CompletionJob, type Outcome, ServiceError } from '@weir/contracts'
import type { Dialect } from '@weir/dialects'
import type { Relay } from '@weir/relay'
import type { FastifyReply } from 'fastify'
import { patienceOf } from '../http/patience.ts'
import type { Asked } from './ask.ts'
import type { Departures } from './departures.ts'
import {
  type Attached,
  DEADLINE_MARGIN_MS,
  errorOf,
  hasEnded,
  headOf,
  nobodyThere,
  tooLate,
  withId,
} from './answering.ts'
import { renderAcceptedAs, renderViewAs } from './render-view.ts'
import { type ShowDeps, foundView } from './show-completion.ts'
import { locationOf } from './styles.ts'

export type AnswerPlainDeps = FollowDeps &
  RejoinDeps &
  ShowDeps & {
    relay: Pick<Relay, 'discard' | 'release'>
    departures: Departures
    /** Aborts when this replica stops and waits for nobody any more. */
    lastCall: AbortSignal
  }

type Waiting = Pick<Asked, 'waitMs' | 'prefersAccepted'>

/** Waits for the end and answers with the whole text, or throws how it failed. A client that goes away cancels at once. */
export async function answerPlain(
  deps: AnswerPlainDeps,
  dialect: Dialect,
  job: CompletionJob,
  waiting: Waiting,
  reply: FastifyReply,
) {
  const attached = { ...job, dialect, model: job.request.model }
  const waited = await wait(deps, attached, (signal) => follow(deps, job, signal), waiting, reply)
  if (waited.kind === 'accepted') return waited.shown
  // Delivered once; what is left in Redis would only take room.
  if (job.attended) reply.raw.once('finish', () => void deps.relay.discard(job.id).catch(deps.onError))
  return answerOf(attached, waited.outcome)
}

/** The same for a completion that was begun by an earlier request with the same idempotency key. */
export async function answerPlainAgain(
  deps: AnswerPlainDeps,
  attached: Attached,
  waiting: Waiting,
  reply: FastifyReply,
) {
  const waited = await wait(deps, attached, (signal) => rejoin(deps, attached, signal), waiting, reply)
  return waited.kind === 'ended' ? answerOf(attached, waited.outcome) : waited.shown
}

function answerOf({ id, model, dialect }: Attached, outcome: Outcome) {
  if (outcome.state !== 'completed') throw withId(id, errorOf(outcome))
  const { choices, usage, cost: charged, clampedTo } = outcome
  return dialect.renderAnswer(headOf(id, model, dialect), choices, { usage, charged, clampedTo })
}

type Waited = { kind: 'ended'; outcome: Outcome } | { kind: 'accepted'; shown: object }

/** The outcome, or the completion as it stands where the client would rather have that than wait any longer. */
async function wait(
  deps: AnswerPlainDeps,
  attached: Attached,
  events: (signal: AbortSignal) => AsyncGenerator<FollowEvent>,
  { waitMs, prefersAccepted }: Waiting,
  reply: FastifyReply,
): Promise<Waited> {
  const { id, accountId, deadlineAt, dialect } = attached
  const endsAt = deadlineAt + DEADLINE_MARGIN_MS
  const waitsUntil = Date.now() + waitMs
  using patience = patienceOf(reply, Math.min(endsAt, waitsUntil), deps.lastCall, () => hasEnded(deps, attached))
  const outcome = await endOf(events(patience.signal))
  if (outcome) return { kind: 'ended', outcome }

  const isOver = patience.over() === 'late' && endsAt <= waitsUntil
  if (patience.over() === 'gone' || isOver) {
    await deps.departures.cancelNow(id)
    throw withId(id, patience.over() === 'gone' ? nobodyThere() : tooLate())
  }
  // It goes on, and is charged once; whoever wants its result asks for it.
  deps.relay.release(id).catch(deps.onError)
  if (!prefersAccepted) throw withId(id, patience.over() === 'stopping' ? replaced(attached) : waitExceeded(attached))
  reply.header('preference-applied', `wait=${Math.round(waitMs / 1_000)}`)
  const view = await foundView(deps, accountId, id).catch(deps.onError)
  return { kind: 'accepted', shown: accepted(reply, attached, view ? renderViewAs(dialect, view) : undefined) }
}

/** A 202 holds even where nothing can be looked up at the moment. */
export function accepted(reply: FastifyReply, attached: Attached, shown?: object): object {
  reply.code(202).header('location', locationOf(attached.id, attached.dialect))
  return shown ?? renderAcceptedAs(attached.dialect, attached)
}

async function endOf(events: AsyncGenerator<FollowEvent>): Promise<Outcome | undefined> {
  for await (const event of events) if (event.kind === 'end' || event.kind === 'stored') return event.outcome
  return undefined
}

const replaced = ({ id, dialect }: Attached) =>
  new ServiceError(
    'wait_exceeded',
    `This server is being replaced. The completion goes on: ask for it at GET ${locationOf(id, dialect)}.`,
  )

const waitExceeded = ({ id, dialect }: Attached) =>
  new ServiceError(
    'wait_exceeded',
    `The completion takes longer than a request may wait. It goes on: ask for it at GET ${locationOf(id, dialect)}.`,
  )
