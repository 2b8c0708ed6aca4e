import type { ChoiceResult, CompletionId, Outcome } from '@weir/contracts'
import { openai } from '@weir/dialects'
import { EPOCHS_PER_SUBMISSION, type Frame } from '@weir/relay'
import { errorOf, headOf, withId } from './answering.ts'

/** Room for the events of one submission; more than any stream has. */
const EVENTS_PER_SUBMISSION = 1_000_000

export type StreamOptions = {
  id: CompletionId
  model: string
  includeUsage: boolean
  /** The id of the last event that the client has; 0 when it has none. */
  after: number
}

export type StreamText = ReturnType<typeof createStreamText>

/**
 * The text of a stream. Its events are numbered from 1 in an order that every replica renders alike, so what a client has
 * already is left out by its number. A completion that Redis has lost begins anew, with numbers far above: `hasGone` says
 * that what the client has is not the beginning of this.
 */
export function createStreamText({ id, model, includeUsage, after }: StreamOptions) {
  const render = openai.createChunkRenderer(headOf(id, model), { includeUsage })
  const begun = new Set<number>()
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
      if (!begun.has(chunk.choice)) {
        begun.add(chunk.choice)
        text += event(render.role(chunk.choice))
      }
      text += event(
        chunk.type === 'text' ? render.text(chunk.choice, chunk.text) : render.finish(chunk.choice, chunk.reason),
      )
    }
    return text
  }

  /** A broken stream never ends like a whole one: it gets an error, no finish reason and no [DONE]. */
  function end(outcome: Outcome): string {
    if (outcome.state !== 'completed') return event(openai.renderErrorEvent(withId(id, errorOf(outcome))))
    // One that was not asked as a stream has said nothing until now.
    const whole = begun.size === 0 ? frame({ epoch: 0, chunks: chunksOf(outcome.choices) }) : ''
    const usage = includeUsage ? event(render.usage(outcome.usage, outcome.cost, outcome.clampedTo)) : ''
    return whole + usage + event(openai.streamDone)
  }

  return {
    frame,
    end,
    hasGone: ({ epoch }: Pick<Frame, 'epoch'>): boolean =>
      after > 0 && firstNumberOf(epoch) !== after - (after % EVENTS_PER_SUBMISSION),
  }
}

const firstNumberOf = (epoch: number): number => Math.floor(epoch / EPOCHS_PER_SUBMISSION) * EVENTS_PER_SUBMISSION

const chunksOf = (choices: readonly ChoiceResult[]): Frame['chunks'] =>
  choices.flatMap(({ index, text, finishReason }) => [
    { type: 'text', choice: index, text },
    { type: 'finish', choice: index, reason: finishReason },
  ])
