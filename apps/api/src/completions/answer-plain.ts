import { type CompletionJob, type Outcome, ServiceError, toServiceError } from '@weir/contracts'
import { type CancelDeps, type FollowDeps, type FollowEvent, follow } from '@weir/completions'
import { openai } from '@weir/dialects'
import type { Frame, Relay } from '@weir/relay'
import type { FastifyReply } from 'fastify'
import type { Departures } from './departures.ts'
import { type EventStream, type EventStreamLimits, openEventStream } from './http/event-stream.ts'
import { patienceOf } from './http/patience.ts'

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
  using patience = patienceOf(reply, job.deadlineAt + DEADLINE_MARGIN_MS)
  const outcome = await endOf(follow(deps, job, patience.signal))

  if (!outcome) {
    await deps.departures.cancelNow(job.id)
    throw withId(job, patience.over() === 'gone' ? nobodyThere() : tooLate())
  }
  // Delivered once; what is left in Redis would only take room.
  deps.relay.discard(job.id).catch(deps.onError)
  if (outcome.state !== 'completed') throw withId(job, errorOf(outcome))
  return openai.renderCompletion(headOf(job), outcome.choices, outcome.usage, outcome.cost, job.clampedTo)
}

/** Relays the frames as they come. A client that goes away has a while to come back before its completion is cancelled. */
export async function answerStream(
  deps: AnswerDeps,
  job: CompletionJob,
  reply: FastifyReply,
  options: { includeUsage: boolean },
): Promise<FastifyReply> {
  using patience = patienceOf(reply, job.deadlineAt + DEADLINE_MARGIN_MS)
  const events = follow(deps, job, patience.signal)
  // The first event says that workers have it: a failure until then is still a status of its own.
  await events.next()

  const stream = openEventStream(reply, deps.eventStream)
  try {
    const ended = await relayFrames(events, job, stream, options)
    if (!ended) {
      deps.departures.cancelLater(job.id)
      if (patience.over() === 'late') await stream.send(openai.renderErrorEvent(withId(job, tooLate())))
    }
  } catch (error) {
    // The status has gone out already: the client learns of it in the stream.
    reply.log.error({ err: error, completion: job.id }, 'stream failed')
    deps.departures.cancelLater(job.id)
    await stream.send(openai.renderErrorEvent(withId(job, toServiceError(error))))
  } finally {
    stream.end()
  }
  return reply
}

/** Whether the end was reached, rather than the end of patience. */
async function relayFrames(
  events: AsyncGenerator<FollowEvent>,
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
    const slow = stream.send(textOf(event.frame, render, begun))
    if (slow) await slow
  }
  return false
}

/** The events of one frame; `begun` notes the choices whose role was told. */
function textOf(frame: Frame, render: openai.ChunkRenderer, begun: Set<number>): string {
  let text = ''
  for (const chunk of frame.chunks) {
    if (chunk.type === 'usage') continue
    if (!begun.has(chunk.choice)) {
      begun.add(chunk.choice)
      text += render.role(chunk.choice)
    }
    text += chunk.type === 'text' ? render.text(chunk.choice, chunk.text) : render.finish(chunk.choice, chunk.reason)
  }
  return text
}

/** A broken stream never ends like a whole one: it gets an error, no finish reason and no [DONE]. */
function endingOf(
  job: CompletionJob,
  outcome: Outcome,
  render: openai.ChunkRenderer,
  options: { includeUsage: boolean },
): string {
  if (outcome.state !== 'completed') return openai.renderErrorEvent(withId(job, errorOf(outcome)))
  return (options.includeUsage ? render.usage(outcome.usage, outcome.cost, job.clampedTo) : '') + openai.streamDone
}

async function endOf(events: AsyncGenerator<FollowEvent>): Promise<Outcome | undefined> {
  for await (const event of events) if (event.kind === 'end') return event.outcome
  return undefined
}

function errorOf({ error }: Outcome): ServiceError {
  if (!error) return new ServiceError('internal', 'Something went wrong on our side. Please try again.')
  return new ServiceError(error.code, error.message, { retryAfterMs: error.retryAfterMs })
}

/** Written to a closed connection: only our logs see it. */
const nobodyThere = () => new ServiceError('cancelled', 'The client has closed the connection.')

const tooLate = () => new ServiceError('deadline_exceeded', 'The completion did not finish in time.')

/** A failed completion can be asked about: its error names it. */
function withId({ id }: CompletionJob, { code, message, retryAfterMs }: ServiceError): ServiceError {
  return new ServiceError(code, message, { retryAfterMs, extra: { completion_id: id } })
}

const headOf = ({ id, request }: CompletionJob): openai.AnswerHead => ({
  id,
  created: Math.floor(Date.now() / 1_000),
  model: request.model,
})
