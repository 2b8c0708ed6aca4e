import type { CompletionView } from '@weir/completions'
import { type AttemptRecord, type CompletionId, messageIdOf, mintedAt } from '@weir/contracts'
import { type Dialect, anthropic, openai } from '@weir/dialects'
import { type Attached, headOf, serviceErrorOf } from './answering.ts'

/** A completion at any time of its life, in the words of a dialect. */
export const renderViewAs = ({ name }: Pick<Dialect, 'name'>, view: CompletionView) =>
  name === 'anthropic' ? renderMessageView(view) : renderView(view)

/** An answer in the shape of a chat completion, with all that we know beside it. What does not apply is left out. */
export function renderView(view: CompletionView) {
  const { record, status, choices, error } = view
  return {
    ...chatOf(record),
    ...standingOf(view),
    choices: status === 'completed' ? choices.map(openai.renderChoice) : [],
    usage: record.end && openai.renderUsage(billOf(record.end)),
    error: error && openai.renderError(serviceErrorOf(error)).error,
  }
}

/** The same in the shape of a message. */
export function renderMessageView(view: CompletionView) {
  const { record, status, choices, error } = view
  const { end } = record
  const answer = end && anthropic.renderAnswer(headOf(record.id, record.model, anthropic.dialect), choices, billOf(end))
  const said = answer && status === 'completed' ? answer : { ...messageOf(record), usage: answer?.usage }
  return {
    ...said,
    created_at: createdAt(record),
    ...standingOf(view),
    error: error && anthropic.renderError(serviceErrorOf(error)).error,
  }
}

/** One that was accepted just now. */
export function renderAcceptedAs({ name }: Pick<Dialect, 'name'>, attached: Attached) {
  const { deadlineAt, background = false, metadata = {}, webhookUrl, requested, model } = attached
  return {
    ...(name === 'anthropic'
      ? { ...messageOf(attached), created_at: createdAt(attached) }
      : { ...chatOf(attached), choices: [] }),
    status: 'queued' as const,
    background,
    stream: false,
    metadata,
    webhook_url: webhookUrl,
    expires_at: new Date(deadlineAt).toISOString(),
    routing: { requested, model, target: null, tried: [] },
    attempts: [],
  }
}

type Named = { id: CompletionId; model: string }

const chatOf = ({ id, model }: Named) => ({
  id,
  object: 'chat.completion' as const,
  created: Math.floor(mintedAt(id) / 1_000),
  model,
})

const createdAt = ({ id }: Pick<Named, 'id'>): string => new Date(mintedAt(id)).toISOString()

/** A message of which nothing was said. */
const messageOf = ({ id, model }: Named) => ({
  ...anthropic.messageOf({ id: messageIdOf(id), model, created: 0 }),
  content: [],
  ...anthropic.notStopped,
})

type End = NonNullable<CompletionView['record']['end']>

const billOf = (end: End) => ({ ...end, clampedTo: end.clampedTo ?? undefined })

function standingOf({ record, status, queuePosition, attempts, requested }: CompletionView) {
  const { background, stream, metadata, webhookUrl, deadlineAt, end } = record
  return {
    status,
    background,
    stream,
    metadata,
    webhook_url: webhookUrl,
    queue_position: queuePosition,
    expires_at: deadlineAt.toISOString(),
    ended_at: end?.endedAt.toISOString(),
    served_by: end?.servedBy ?? undefined,
    routing: routingOf(record.model, attempts, requested),
    attempts: attempts.map(renderAttempt),
  }
}

/** From the name that was asked for to the target that served: each that did not, and why. */
const routingOf = (model: string, attempts: readonly AttemptRecord[], requested: string | undefined) => ({
  requested,
  model,
  target: attempts.findLast(({ target }) => target !== undefined)?.target ?? null,
  tried: attempts.flatMap(({ attempt, tried = [] }) => tried.map((each) => ({ attempt, ...each }))),
})

const renderAttempt = ({ attempt, worker, target, startedAt, endedAt, end, error }: AttemptRecord) => ({
  attempt,
  worker,
  target: target ?? null,
  started_at: new Date(startedAt).toISOString(),
  ended_at: endedAt === undefined ? null : new Date(endedAt).toISOString(),
  outcome: end ?? ('running' as const),
  error: error ?? null,
})
