import { type CompletionId, type Outcome, chunksOf } from '@weir/contracts'
import type { Dialect } from '@weir/dialects'
import { type Frame, submissionOf } from '@weir/relay'
import { errorOf, headOf, withId } from './answering.ts'

/** Room for the events of one submission; more than any stream has. */
const EVENTS_PER_SUBMISSION = 1_000_000

export type StreamOptions = {
  id: CompletionId
  model: string
  dialect: Dialect
  includeUsage: boolean
  /** The id of the last event that the client has; 0 when it has none. */
  after: number
  /** The request that is answered by this stream. */
  requestId?: string
}

export type StreamText = ReturnType<typeof createStreamText>

/**
 * The text of a stream. Its events are numbered from 1 in an order that every replica renders alike, so what a client has
 * already is left out by its number. A completion that Redis has lost begins anew, with numbers far above: `hasGone` says
 * that what the client has is not the beginning of this.
 */
export function createStreamText({ id, model, dialect, includeUsage, after, requestId }: StreamOptions) {
  const renderer = dialect.createStreamRenderer(headOf(id, model, dialect), { includeUsage })
  let number: number | undefined

  function event(text: string): string {
    number = (number ?? 0) + 1
    return number > after ? `id: ${number}\n${text}` : ''
  }

  function frame({ epoch, chunks }: Pick<Frame, 'epoch' | 'chunks'>): string {
    number ??= firstNumberOf(epoch)
    let text = ''
    for (const chunk of chunks) {
      if (chunk.type === 'usage') continue
      for (const rendered of renderer.chunk(chunk)) text += event(rendered)
    }
    return text
  }

  /** A broken stream never ends like a whole one: it gets an error, no finish reason and no [DONE]. */
  function end({ state, choices, usage, cost: charged, clampedTo, ...outcome }: Outcome): string {
    if (state !== 'completed') return event(dialect.renderErrorEvent(withId(id, errorOf(outcome)), requestId))
    // One that was not asked as a stream has said nothing until now.
    const whole = number === undefined ? frame({ epoch: 0, chunks: chunksOf(choices) }) : ''
    return whole + renderer.end({ usage, charged, clampedTo }).map(event).join('')
  }

  return {
    frame,
    end,
    hasGone: ({ epoch }: Pick<Frame, 'epoch'>): boolean =>
      after > 0 && firstNumberOf(epoch) !== after - (after % EVENTS_PER_SUBMISSION),
  }
}

const firstNumberOf = (epoch: number): number => submissionOf(epoch) * EVENTS_PER_SUBMISSION
