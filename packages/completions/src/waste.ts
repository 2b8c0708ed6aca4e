import { estimateTokens } from '@weir/backends'
import { type ChoiceResult, type CompletionJob, gather, writtenIn } from '@weir/contracts'
import type { Relay } from '@weir/relay'
import { type Generated, hasText } from './generated.ts'
import type { RunMetrics, Waste } from './run-metrics.ts'

export type WasteDeps = { metrics: RunMetrics }

/** Counts what an attempt has generated in vain. */
export async function countWaste({ metrics }: WasteDeps, generated: Generated, why: Waste): Promise<void> {
  if (!hasText(generated)) return
  metrics.wasted(await estimateTokens(generated.choices.map(writtenIn).join('')), why)
}

const MOST_FRAMES = 10_000

/** Counts what a worker had shown of a stream before it was killed. */
export async function countWastedFrames(
  { metrics, relay }: WasteDeps & { relay: Pick<Relay, 'framesAfter'> },
  { id }: CompletionJob,
): Promise<void> {
  const frames = await relay.framesAfter(id, { epoch: 0, sequence: 0 }, MOST_FRAMES)
  const choices: ChoiceResult[] = []
  for (const { chunks } of frames) for (const chunk of chunks) if (chunk.type !== 'usage') gather(choices, chunk)
  metrics.wasted(await estimateTokens(choices.map(writtenIn).join('')), 'killed')
}
