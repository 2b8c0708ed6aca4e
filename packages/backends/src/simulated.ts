import { setImmediate as nextTurn } from 'node:timers/promises'
import type { BackendConfig, ChoiceChunk } from '@weir/contracts'
import { backendError } from '@weir/dialects'
import { type Backend, targetName } from './backend.ts'
import { abortErrorOf, endedEarly } from './backend-errors.ts'
import { pause } from './pause.ts'
import { simulatedAnswerOf } from './simulated-answer.ts'
import { createSimulatedCache } from './simulated-cache.ts'

export type SimulatedConfig = Extract<BackendConfig, { kind: 'simulated' }>
type Fault = SimulatedConfig['fault']

/** From this rate on, tokens are handed out as fast as they are taken. */
const UNPACED_TOKENS_PER_SECOND = 10_000
/** A timer for each token would cost more than the token: those due within a tick share one. */
const TICK_MS = 10
/** After so many tokens without a wait, timers and sockets get a turn; an abort could not be heard otherwise. */
const TOKENS_PER_TURN = 256
const RETRY_AFTER_MS = 1_000

/**
 * A stand-in that needs no model: it answers the same request alike, with text, calls, JSON or reasoning as it is asked, at
 * a set pace, or fails as it is told.
 */
export function createSimulatedBackend(name: string, config: SimulatedConfig): Backend {
  let faultsLeft = config.fault_times ?? Infinity
  const cacheUse = createSimulatedCache()

  return {
    name,
    async *stream(request, target, signal) {
      const fault = faultsLeft-- > 0 ? config.fault : undefined
      if (signal.aborted) throw abortErrorOf(signal)
      if (config.latency_ms > 0) await pause(config.latency_ms, signal)
      await failBeforeFirstToken(fault, signal)

      const asked = { request, target, outputTokens: config.output_tokens }
      const { chunks, usage } = simulatedAnswerOf(asked, cacheUse(targetName(target), request))
      const breaksOff = fault === 'break' || fault === 'truncate'
      const played = breaksOff ? begun(chunks, config.fault_after_tokens) : chunks
      yield* paced(played, config.tokens_per_second, signal)
      if (fault === 'break') throw backendError.failed(new Error('simulated fault: break'))
      if (fault === 'truncate') throw endedEarly(new Error('simulated fault: truncate'))
      yield { type: 'usage', usage }
    },
    [Symbol.asyncDispose]: async () => {},
  }
}

async function failBeforeFirstToken(fault: Fault, signal: AbortSignal): Promise<void> {
  if (fault === 'refuse') throw backendError.failed(new Error('simulated fault: refuse'))
  if (fault === 'overload') throw backendError.overloaded(RETRY_AFTER_MS, new Error('simulated fault: overload'))
  // Days, for want of a timer that never fires.
  while (fault === 'hang') await pause(2 ** 31 - 1, signal)
}

/** So many chunks and no end. */
function* begun(chunks: Iterable<ChoiceChunk>, count: number): Generator<ChoiceChunk> {
  let left = count
  for (const chunk of chunks) {
    if (chunk.type === 'finish' || left-- <= 0) return
    yield chunk
  }
}

/** The chunks, each no earlier than its time. A reader who is late gets at once what has come due. */
async function* paced(
  chunks: Iterable<ChoiceChunk>,
  tokensPerSecond: number,
  signal: AbortSignal,
): AsyncGenerator<ChoiceChunk> {
  const tickMs = tokensPerSecond >= UNPACED_TOKENS_PER_SECOND ? 0 : Math.max(TICK_MS, 1_000 / tokensPerSecond)
  const began = performance.now()
  let due = tickMs === 0 ? TOKENS_PER_TURN : 1

  let made = 0
  for (const chunk of chunks) {
    // The end takes no time of its own.
    while (made >= due && chunk.type !== 'finish') {
      if (tickMs === 0) {
        await nextTurn()
        due += TOKENS_PER_TURN
      } else {
        await pause(tickMs, signal)
        due = Math.max(due, 1 + Math.floor(((performance.now() - began) * tokensPerSecond) / 1_000))
      }
    }
    if (signal.aborted) throw abortErrorOf(signal)
    yield chunk
    made += 1
  }
}
