import {
  type CompletionJob,
  type EndedBy,
  type Microcredits,
  type Outcome,
  type Usage,
  chargeFor,
} from '@weir/contracts'
import { type Generated, hasText, hasUsed, usageOf } from './generated.ts'
import { freeOutcome } from './outcomes.ts'

/** The end of an attempt that came to it. */
export async function completedOutcome(job: CompletionJob, generated: Generated): Promise<Outcome> {
  const usage = await usageOf(job.request, generated)
  const isCapped = generated.choices.some(({ finishReason }) => finishReason === 'length')
  // The text of a stream is in its frames already, and nobody asks for it when they are gone, unless it is kept.
  const isFramed = job.request.stream && !job.kept
  const choices = generated.choices.map((choice) => (isFramed ? { ...choice, parts: [] } : choice))
  const cost = costAt(job, generated, usage, isCapped ? 'limit' : 'backend')
  return { state: 'completed', usage, cost, servedBy: generated.servedBy, choices }
}

/**
 * Whoever cancels pays for what was used until then; as long as nobody knows of anything, that is nothing. Lines that a
 * cancelled batch leaves unfinished are free, as with OpenAI's: nobody is given what they had generated.
 */
export async function cancelledOutcome(job: CompletionJob, generated: Generated): Promise<Outcome> {
  const cancelled = freeOutcome('cancelled', 'cancelled', 'The completion was cancelled.')
  if (job.ofBatch || !hasUsed(generated)) return cancelled
  const usage = await usageOf(job.request, generated)
  const servedBy = generated.servedBy ?? generated.soFar?.target
  return { ...cancelled, usage, cost: costAt(job, generated, usage, 'client'), servedBy }
}

/** Whoever sets a deadline ends it there, as by a cancel. */
export async function cutShortOutcome(job: CompletionJob, generated: Generated): Promise<Outcome> {
  const message =
    'The completion was stopped at the deadline that its request had set. What it had used until then is charged.'
  return { ...(await cancelledOutcome(job, generated)), error: { code: 'deadline_exceeded', message } }
}

/** By the published table. No backend's word makes it more than the most that the request can cost. */
function costAt({ price, quote }: CompletionJob, generated: Generated, usage: Usage, endedBy: EndedBy): Microcredits {
  const cost = chargeFor(price, { endedBy, delivered: hasText(generated), usage })
  return cost < quote ? cost : quote
}
