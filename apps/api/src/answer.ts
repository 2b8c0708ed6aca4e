import { type CompletionJob, type Outcome, ServiceError } from '@weir/contracts'
import { type CancelDeps, type FollowDeps, type FollowEvent, follow } from '@weir/completions'
import { openai } from '@weir/dialects'
import type { Relay } from '@weir/relay'
import type { FastifyReply } from 'fastify'
import type { Departures } from './departures.ts'
import { disconnectOf } from './http/disconnect.ts'
import { type EventStream, type EventStreamLimits, openEventStream } from './http/event-stream.ts'

export type AnswerDeps = FollowDeps &
  CancelDeps & {
    relay: Pick<Relay, 'discard'>
    departures: Departures
    eventStream: EventStreamLimits
  }

/** A worker ends what is past its deadline; this much later we answer without it. */
const DEADLINE_MARGIN_MS = 2_000

/** Waits for the end and answers with the whole text, or throws how it failed. A client that goes away cancels at once. */
export async function answerPlain(deps: AnswerDeps, job: CompletionJob, reply: FastifyReply) {
  const gone = disconnectOf(reply)
  const late = AbortSignal.timeout(job.deadlineAt + DEADLINE_MARGIN_MS - Date.now())
  const outcome = await endOf(follow(deps, job, AbortSignal.any([gone, late])))

  if (!outcome) {
    await deps.departures.cancelNow(job.id)
    throw withId(job, new ServiceError('deadline_exceeded', 'The completion did not finish in time.'))
  }
  // Delivered once; what is left in Redis would only take room.
  deps.relay.discard(job.id).catch(deps.onError)
  if (outcome.state !== 'completed') throw withId(job, errorOf(outcome))
  return openai.renderCompletion(headOf(job), outcome.choices, outcome.usage, outcome.cost)
}

/** Relays the frames as they come. A client that goes away has a while to come back before its completion is cancelled. */
export async function answerStream(
  deps: AnswerDeps,
  job: CompletionJob,
  reply: FastifyReply,
  options: { includeUsage: boolean },
): Promise<FastifyReply> {
  const gone = disconnectOf(reply)
  const late = AbortSignal.timeout(job.deadlineAt + DEADLINE_MARGIN_MS - Date.now())
  const events = follow(deps, job, AbortSignal.any([gone, late]))
  // The first event says that workers have it: a failure until then is still a status of its own.
  await events.next()

  const stream = openEventStream(reply, deps.eventStream)
  const ended = await relayFrames(events, job, stream, options).catch((error: unknown) => {
    deps.onError(error)
    return false
  })
  if (!ended && !gone.aborted) {
    await stream.send(
      openai.renderErrorEvent(
        withId(job, new ServiceError('deadline_exceeded', 'The completion did not finish in time.')),
      ),
    )
  }
  stream.end()
  if (!ended) deps.departures.cancelLater(job.id)
  return reply
}

/** Whether the end was reached; false when the reader has gone or the time is up. */
async function relayFrames(
  events: AsyncGenerator<FollowEvent | { kind: 'handed_over' }>,
  job: CompletionJob,
  stream: EventStream,
  options: { includeUsage: boolean },
): Promise<boolean> {
  const render = openai.createChunkRenderer(headOf(job), options)
  const begun = new Set<number>()

  for await (const event of events) {
    if (event.kind === 'end') {
      await stream.send(endingOf(job, event.outcome, render, options))
      return true
    }
    if (event.kind === 'handed_over') continue
    let text = ''
    for (const chunk of event.frame.chunks) {
      if (chunk.type === 'usage') continue
      if (!begun.has(chunk.choice)) {
        begun.add(chunk.choice)
        text += render.role(chunk.choice)
      }
      text += chunk.type === 'text' ? render.text(chunk.choice, chunk.text) : render.finish(chunk.choice, chunk.reason)
    }
    const slow = stream.send(text)
    if (slow) await slow
  }
  return false
}

/** A broken stream never ends like a whole one: it gets an error, no finish reason and no [DONE]. */
function endingOf(
  job: CompletionJob,
  outcome: Outcome,
  render: openai.ChunkRenderer,
  options: { includeUsage: boolean },
): string {
  if (outcome.state !== 'completed') return openai.renderErrorEvent(withId(job, errorOf(outcome)))
  return (options.includeUsage ? render.usage(outcome.usage, outcome.cost) : '') + openai.streamDone
}

async function endOf(events: AsyncGenerator<FollowEvent | { kind: 'handed_over' }>): Promise<Outcome | undefined> {
  for await (const event of events) if (event.kind === 'end') return event.outcome
  return undefined
}

function errorOf({ error }: Outcome): ServiceError {
  if (!error) return new ServiceError('internal', 'Something went wrong on our side. Please try again.')
  return new ServiceError(error.code, error.message, { retryAfterMs: error.retryAfterMs })
}

/** A failed completion can be asked about: its error names it. */
function withId({ id }: CompletionJob, { code, message, retryAfterMs }: ServiceError): ServiceError {
  return new ServiceError(code, message, { retryAfterMs, extra: { completion_id: id } })
}

const headOf = ({ id, request }: CompletionJob): openai.AnswerHead => ({
  id,
  created: Math.floor(Date.now() / 1_000),
  model: request.model,
})
