import type { CompletionId, Outcome } from '@weir/contracts'
import { isDependencyError } from '@weir/runtime'
import type { Frame, ReplyMessage } from './encoding.ts'
import { type Relay, submissionOf } from './relay.ts'

/**
 * What a watcher sees, in order and without a hole: every frame once, then the end. `lost` says that Redis no longer knows
 * the completion: its watcher may hand it over again and go on, if it has seen no frame. `gap` says that frames are
 * missing for good, and is the last event.
 */
export type WatchEvent =
  | { kind: 'frame'; frame: Frame }
  | { kind: 'end'; outcome: Outcome }
  | { kind: 'lost' }
  | { kind: 'gap' }

export type Watch = {
  events(signal: AbortSignal): AsyncGenerator<WatchEvent, void>
  /** What the reply channel brought for this completion. */
  push(message: ReplyMessage): void
  /** Messages may have been missed: look into Redis. */
  resync(): void
}

const FIRST_POLL_MS = 1_000
/** Whoever waits looks into Redis this often, at the least. */
export const SLOWEST_POLL_MS = 5_000
const REPLAY_PAGE = 100

/**
 * Follows one completion. Live messages are the fast path; the replay stream and the terminal record are the truth. A
 * reader too slow for `bufferBytes` loses the live messages and is served from the replay stream, so memory stays flat.
 * One that `joins` looks into Redis first: it may have begun long ago.
 */
export function createWatch(
  relay: Pick<Relay, 'recordOf' | 'framesAfter'>,
  id: CompletionId,
  options: { bufferBytes: number; onError: (error: unknown) => void },
  { joins = false } = {},
): Watch {
  let live: ReplyMessage[] = []
  let liveBytes = 0
  let mustLook = joins
  let wake = () => {}
  /** The newest frame that was handed out. */
  let seen = { epoch: 0, sequence: 0 }

  function push(message: ReplyMessage) {
    if (liveBytes + message.size > options.bufferBytes && live.length > 0) {
      live = []
      liveBytes = 0
      mustLook = true
    } else {
      live.push(message)
      liveBytes += message.size
    }
    wake()
  }

  function resync() {
    mustLook = true
    wake()
  }

  const follows = (frame: Frame) =>
    frame.sequence === seen.sequence + 1 && (seen.sequence === 0 || frame.epoch === seen.epoch)

  async function* replay(): AsyncGenerator<WatchEvent> {
    for (;;) {
      const frames = await relay.framesAfter(id, seen, REPLAY_PAGE)
      for (const frame of frames) {
        if (!follows(frame)) return yield { kind: 'gap' }
        seen = frame
        yield { kind: 'frame', frame }
      }
      if (frames.length < REPLAY_PAGE) return
    }
  }

  /** Looks into Redis: first how it stands, then the frames, so that an end is never told before its last frame. */
  async function* look(): AsyncGenerator<WatchEvent> {
    mustLook = false
    const record = await relay.recordOf(id)
    if (!record) return yield { kind: 'lost' }
    yield* replay()
    if (record.outcome) yield endAfter({ ...record, outcome: record.outcome })
  }

  async function* take(message: ReplyMessage): AsyncGenerator<WatchEvent> {
    const upTo = message.kind === 'frame' ? message.frame.sequence - 1 : message.lastSequence
    if (seen.sequence < upTo) yield* replay()
    if (message.kind === 'end') {
      const end = endAfter(message)
      if (end.kind === 'end' || seen.sequence > 0) return yield end
      // Redis may have lost it since it was told: whoever has seen nothing can still have all of it from elsewhere.
      mustLook = true
      return
    }
    if (message.frame.sequence <= seen.sequence) return
    if (!follows(message.frame)) return yield { kind: 'gap' }
    seen = message.frame
    yield { kind: 'frame', frame: message.frame }
  }

  function endAfter(end: { epoch: number; lastSequence: number; outcome: Outcome }): WatchEvent {
    // What was seen may be of another submission, of as many frames: then this is not its end.
    const isOther = seen.sequence > 0 && submissionOf(seen.epoch) !== submissionOf(end.epoch)
    return isOther || seen.sequence < end.lastSequence ? { kind: 'gap' } : { kind: 'end', outcome: end.outcome }
  }

  async function* events(signal: AbortSignal): AsyncGenerator<WatchEvent, void> {
    let pollMs = FIRST_POLL_MS
    while (!signal.aborted) {
      const message = live.shift()
      if (message) liveBytes -= message.size
      try {
        for await (const event of message ? take(message) : mustLook ? look() : nothing()) {
          yield event
          if (event.kind === 'end' || event.kind === 'gap') return
        }
      } catch (error) {
        options.onError(error)
        // What cannot be read now will not be read later either.
        if (!isDependencyError(error)) return yield { kind: 'gap' }
        // Redis is away; what is missing is asked for again at the next poll.
        if (message) mustLook = true
        if (mustLook && live.length === 0) await sleep(pollMs, signal)
      }
      if (live.length > 0 || mustLook) continue
      if (!(await sleep(pollMs, signal))) {
        mustLook = true
        pollMs = Math.min(pollMs * 2, SLOWEST_POLL_MS)
      }
    }
  }

  /** True when woken, false when the time has passed. */
  function sleep(ms: number, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (woken: boolean) => {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        wake = () => {}
        resolve(woken)
      }
      const onAbort = () => finish(true)
      const timer = setTimeout(() => finish(false), ms)
      signal.addEventListener('abort', onAbort, { once: true })
      wake = () => finish(true)
      // An abort from before we listened is not told again.
      if (signal.aborted) finish(true)
    })
  }

  return { events, push, resync }
}

async function* nothing(): AsyncGenerator<never> {}
