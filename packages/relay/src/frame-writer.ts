import { type Chunk, type CompletionId, joined, weightOf } from '@weir/contracts'
import { patiently } from '@weir/runtime'
import type { Emitted, Relay } from './relay.ts'

export type FrameWriter = {
  /** Adds to the frame that is being gathered. Wait for the promise, if there is one: Redis is behind. */
  write(chunk: Chunk): Promise<void> | undefined
  /** Sends what is gathered and waits until everything was written. Rejects when a frame could not be. */
  flush(): Promise<void>
}

export type FrameWriterOptions = {
  /** How long tokens are gathered, and at which size a frame leaves at once. */
  intervalMs: number
  frameBytes: number
  /** How long a frame that could not be written is tried again before the attempt gives up. */
  patienceMs: number
  /** Called when this attempt may not speak any more. */
  onRefused: (reason: Exclude<Emitted, 'emitted'>) => void
  /** Called once, when a frame could not be written in time. */
  onLost: (error: unknown) => void
}

/** What may wait unwritten before the backend is read no further. */
const MAX_PENDING_BYTES = 262_144

/**
 * Gathers tokens into numbered frames: the first token leaves at once, later ones together. One frame is under way at a
 * time, so a slow Redis makes frames larger, not more.
 */
export function createFrameWriter(
  relay: Pick<Relay, 'emit'>,
  attempt: { id: CompletionId; epoch: number },
  options: FrameWriterOptions,
): FrameWriter {
  let pending: Chunk[] = []
  let pendingBytes = 0
  let sequence = 0
  let sending: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let failed: unknown

  function write(chunk: Chunk) {
    append(chunk)
    if (sending) return pendingBytes > MAX_PENDING_BYTES ? sending : undefined
    if (sequence === 0 || pendingBytes >= options.frameBytes) send()
    else timer ??= setTimeout(send, options.intervalMs)
    return undefined
  }

  function append(chunk: Chunk) {
    const last = pending.at(-1)
    const longer = last && joined(last, chunk)
    if (longer) pending[pending.length - 1] = longer
    else pending.push(chunk)
    pendingBytes += weightOf(chunk)
  }

  function send() {
    clearTimeout(timer)
    timer = undefined
    if (pending.length === 0 || failed !== undefined) return
    const chunks = pending
    pending = []
    pendingBytes = 0
    const frame = { epoch: attempt.epoch, sequence: ++sequence, chunks }
    // Redis may be away for a moment: a frame is repeated, which is harmless.
    sending = patiently(() => relay.emit(attempt.id, frame), options.patienceMs)
      .then((said) => {
        if (said !== 'emitted') options.onRefused(said)
      })
      .catch((error: unknown) => {
        failed = error
        options.onLost(error)
      })
      .finally(() => {
        sending = undefined
        if (pendingBytes >= options.frameBytes) send()
        else if (pending.length > 0) timer ??= setTimeout(send, options.intervalMs)
      })
  }

  return {
    write,
    async flush() {
      while (sending || pending.length > 0) {
        if (!sending) send()
        if (failed !== undefined) break
        await sending
      }
      if (failed !== undefined) throw failed
    },
  }
}
