import { estimateTokens } from '@weir/backends'
import type { CompletionJob } from '@weir/contracts'
import type { Relay } from '@weir/relay'
import { type Generated, hasText } from './generate.ts'
import type { RunMetrics, Waste } from './run-metrics.ts'

type WasteDeps = { metrics: RunMetrics }

/** Counts what an attempt has generated in vain. */
export async function countWaste({ metrics }: WasteDeps, generated: Generated, why: Waste): Promise<void> {
  if (!hasText(generated)) return
  metrics.wasted(await estimateTokens(generated.choices.map(({ text }) => text).join('')), why)
}

const MOST_FRAMES = 10_000

/** Counts what a worker had shown of a stream before it was killed. */
export async function countWastedFrames(
  { metrics, relay }: WasteDeps & { relay: Pick<Relay, 'framesAfter'> },
  { id }: CompletionJob,
): Promise<void> {
  const frames = await relay.framesAfter(id, { epoch: 0, sequence: 0 }, MOST_FRAMES)
  const text = frames.flatMap(({ chunks }) => chunks.map((chunk) => (chunk.type === 'text' ? chunk.text : ''))).join('')
  metrics.wasted(await estimateTokens(text), 'killed')
}
