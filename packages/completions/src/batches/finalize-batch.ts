import type { AccountId, FileId } from '@weir/contracts'
import type { Batch, BatchItems, BatchWork, EndedItem } from '@weir/store'
import { renderResult } from './render-result.ts'
import { WORK_LEASE_MS } from './validate-batch.ts'

export type FinalizeDeps = {
  files: {
    write(
      file: { accountId: AccountId; purpose: 'batch_output'; filename: string; expiresAt: Date; publish: false },
      source: AsyncIterable<Uint8Array>,
      signal?: AbortSignal,
    ): Promise<{ id: FileId }>
  }
  items: Pick<BatchItems, 'ended'>
  work: Pick<BatchWork, 'holds' | 'finish'>
}

const PAGE = 100

/** Puts the results of a batch down as files, which are there at the moment at which it has ended. */
export async function finalizeBatch(deps: FinalizeDeps, batch: Batch, signal: AbortSignal): Promise<void> {
  const { completed } = batch.lines
  const others = batch.lines.total - completed
  // Anthropic's results are one stream.
  const isOne = batch.dialect === 'anthropic'
  const output =
    (isOne ? batch.lines.total : completed) > 0 ? await write('output', isOne ? everyEnd : ['completed']) : undefined
  const errors = !isOne && others > 0 ? await write('errors', unanswered) : undefined
  await deps.work.finish(batch.id, { output: output?.id, errors: errors?.id })

  async function write(what: string, states: readonly EndedItem['state'][]) {
    const file = {
      accountId: batch.accountId,
      purpose: 'batch_output' as const,
      filename: `${batch.id}_${what}.jsonl`,
      expiresAt: new Date(Date.now() + batch.resultsKeptMs),
      publish: false as const,
    }
    return deps.files.write(file, held(resultsOf(deps, batch, states)), signal)
  }

  /** For as long as it is written the batch stays ours. */
  async function* held(pages: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let heldAt = performance.now()
    for await (const page of pages) {
      if (performance.now() - heldAt > WORK_LEASE_MS / 3) {
        await deps.work.holds(batch.id, 'finished', WORK_LEASE_MS)
        heldAt = performance.now()
      }
      yield page
    }
  }
}

export const everyEnd = ['completed', 'failed', 'cancelled', 'expired'] as const
export const unanswered = ['failed', 'cancelled', 'expired'] as const

/** The lines that have ended so, as their places in the input go, a page at a time. */
export async function* resultsOf(
  { items }: { items: Pick<BatchItems, 'ended'> },
  batch: Pick<Batch, 'id' | 'dialect' | 'endpoint'>,
  states: readonly EndedItem['state'][],
): AsyncGenerator<Uint8Array> {
  for (let after = 0; ;) {
    const page = await items.ended(batch.id, { after, limit: PAGE, states })
    if (page.length > 0) yield Buffer.from(page.map((item) => `${renderResult(batch, item)}\n`).join(''))
    if (page.length < PAGE) return
    after = page.at(-1)!.line
  }
}
