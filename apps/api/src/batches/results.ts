import { Readable } from 'node:stream'
import { everyEnd, resultsOf, unanswered } from '@weir/completions'
import { type FileId, ServiceError } from '@weir/contracts'
import type { Batch, BatchItems, EndedItem, FileStore } from '@weir/store'
import type { FastifyReply } from 'fastify'

export type ResultsDeps = {
  batchItems: Pick<BatchItems, 'ended'>
  files: Pick<FileStore, 'find' | 'read'>
  /** A reader that takes nothing for so long is cut off. */
  eventStream: { stallMs: number }
}

export type Results = 'output' | 'errors'

/**
 * The lines of a batch that have ended so, as JSON Lines: of one that runs those until now, read as the reader takes them; of
 * one that has ended its file.
 */
export async function resultLinesOf(
  { batchItems: items, files }: Pick<ResultsDeps, 'batchItems' | 'files'>,
  batch: Batch,
  results: Results,
): Promise<AsyncIterable<Uint8Array>> {
  if (batch.endedAt === undefined) {
    const states = statesOf(batch, results)
    return states.length === 0 ? nothing() : resultsOf({ items }, batch, states)
  }
  const id = results === 'output' ? batch.outputFileId : batch.errorFileId
  if (id === undefined) return nothing()
  if (!(await files.find(batch.accountId, id))) throw goneFile(id)
  return files.read(id)
}

/** Message batches have one list of results for all of their lines. */
function statesOf({ dialect }: Batch, results: Results): readonly EndedItem['state'][] {
  if (dialect === 'anthropic') return results === 'output' ? everyEnd : []
  return results === 'output' ? ['completed'] : unanswered
}

const goneFile = (id: FileId) =>
  new ServiceError('not_found', `The results in ${id} are not there any more: they were deleted, or have expired.`)

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** Sends it piece by piece, and waits whenever the reader is behind. `begun` is over with it. */
export function sendLines(
  reply: FastifyReply,
  lines: AsyncIterable<Uint8Array>,
  { type, stallMs, begun }: { type: string; stallMs: number; begun: Disposable },
): FastifyReply {
  const { raw } = reply
  if (raw.closed) begun[Symbol.dispose]()
  else raw.once('close', () => begun[Symbol.dispose]())
  raw.setTimeout(stallMs, () => {
    reply.log.warn('results were not taken')
    raw.destroy()
  })
  return reply
    .header('content-type', type)
    .header('x-content-type-options', 'nosniff')
    .send(Readable.from(lines, { highWaterMark: 1 }))
}
