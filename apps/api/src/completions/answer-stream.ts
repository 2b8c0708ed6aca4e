import { type FollowDeps, type FollowEvent, follow, rejoin } from '@weir/completions'
import { type CompletionJob, ServiceError } from '@weir/contracts'
import type { Dialect } from '@weir/dialects'
import type { Relay } from '@weir/relay'
import { designedError } from '@weir/runtime'
import type { FastifyReply } from 'fastify'
import { type EventStream, type EventStreamLimits, openEventStream } from '../http/event-stream.ts'
import { patienceOf } from '../http/patience.ts'
import { type Attached, DEADLINE_MARGIN_MS, hasEnded, tooLate, withId } from './answering.ts'
import type { Departures } from './departures.ts'
import { type StreamText, createStreamText } from './stream-text.ts'
import { locationOf } from './styles.ts'

export type AnswerStreamDeps = FollowDeps & {
  relay: Pick<Relay, 'release'>
  departures: Departures
  eventStream: EventStreamLimits
  /** Aborts when this replica stops and relays nothing any more. */
  lastCall: AbortSignal
}

type Events = AsyncGenerator<FollowEvent, void>

/** Relays the frames as they come. A client that goes away has a while to come back before its completion is cancelled. */
export async function answerStream(
  deps: AnswerStreamDeps,
  dialect: Dialect,
  job: CompletionJob,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const attached = { ...job, dialect, model: job.request.model }
  const text = createStreamText({ ...attached, after: 0, requestId: reply.request.id })
  return relay(deps, attached, text, (signal) => follow(deps, job, signal), reply)
}

/**
 * The same for a completion that was begun before, without what the client has already. Throws `stream_expired` when what it
 * has can no longer be continued.
 */
export async function answerStreamAgain(
  deps: AnswerStreamDeps & Parameters<typeof rejoin>[0],
  attached: Attached,
  { includeUsage, after, waitForFirst }: { includeUsage: boolean; after: number; waitForFirst: boolean },
  reply: FastifyReply,
): Promise<FastifyReply> {
  const text = createStreamText({ ...attached, includeUsage, after, requestId: reply.request.id })
  async function* events(signal: AbortSignal): Events {
    // What is there to be read decides the status; what is still to be said does not hold the headers up.
    if (!waitForFirst) yield { kind: 'handed_over' }
    for await (const event of rejoin(deps, attached, signal)) {
      if (event.kind === 'frame' && text.hasGone(event.frame)) throw streamExpired()
      if (event.kind === 'stored' && after > 0) throw streamExpired()
      yield event
    }
  }
  return relay(deps, attached, text, events, reply)
}

export const streamExpired = () =>
  new ServiceError('stream_expired', 'This stream can no longer be continued from there: it is not kept that long.')

async function relay(
  deps: AnswerStreamDeps,
  attached: Attached,
  text: StreamText,
  eventsUntil: (signal: AbortSignal) => Events,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { id, deadlineAt, dialect } = attached
  const endsAt = deadlineAt + DEADLINE_MARGIN_MS
  using patience = patienceOf(reply, endsAt, deps.lastCall, () => hasEnded(deps, attached))
  const events = eventsUntil(patience.signal)
  // A failure until the first event is still a status of its own.
  const first = await events.next()

  const errorEvent = (error: ServiceError) => dialect.renderErrorEvent(withId(id, error), reply.request.id)
  const stream = openEventStream(reply, deps.eventStream)
  try {
    const ended = await relayEvents(first, events, text, stream)
    if (!ended && patience.over() === 'stopping') {
      // Its reader is asked to come back, to another replica: nobody is to cancel it meanwhile.
      await deps.relay.release(id).catch(deps.onError)
      await stream.send(errorEvent(goesOnElsewhere(attached)))
    } else if (!ended) {
      deps.departures.cancelLater(id)
      if (patience.over() === 'late') await stream.send(errorEvent(tooLate()))
    }
  } catch (error) {
    // The status has gone out already: the client learns of it in the stream.
    const failure = designedError(error)
    if (failure.code === 'internal') reply.log.error({ err: error, completion: id }, 'stream failed')
    deps.departures.cancelLater(id)
    await stream.send(errorEvent(failure))
  } finally {
    stream.end()
    await events.return()
  }
  return reply
}

const goesOnElsewhere = ({ id, dialect }: Attached) =>
  new ServiceError(
    'stream_interrupted',
    `This server is being replaced. The completion goes on: resume it at GET ${locationOf(id, dialect)}/stream.`,
  )

/** Whether the end was reached, rather than the end of patience. */
async function relayEvents(
  first: IteratorResult<FollowEvent, void>,
  rest: Events,
  text: StreamText,
  stream: EventStream,
): Promise<boolean> {
  for (let next = first; !next.done; next = await rest.next()) {
    const event = next.value
    if (event.kind === 'handed_over') continue
    if (event.kind === 'frame') {
      const fresh = text.frame(event.frame)
      const slow = fresh === '' ? undefined : stream.send(fresh)
      if (slow) await slow
      continue
    }
    await stream.send(text.end(event.outcome))
    return true
  }
  return false
}
