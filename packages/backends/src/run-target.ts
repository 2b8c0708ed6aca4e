import { type Chunk, ServiceError, type Target, type Usage } from '@weir/contracts'
import { backendError } from '@weir/dialects'
import { targetName } from './backend.ts'
import type { Backends } from './create-backends.ts'
import { type TargetCall, type TargetHealth, createTargetHealth } from './target-health.ts'
import { type Routed, orderOf } from './target-order.ts'

export type Route = Routed & {
  backends: Pick<Backends, 'get'>
  /** How the targets do, in this process; without it all are taken to be well. */
  health?: TargetHealth | undefined
  signal: AbortSignal
  /** Told before the first chunk of an answer: the target that serves, as `backend/model`. */
  onTarget(servedBy: string): void
  /** Told of what a target has used while its answer is not whole, be it before the first chunk. */
  onUsedSoFar?(target: string, usage: Usage): void
  /** Told of each target that failed, and why, before the next is asked. What it had yielded is void. */
  onTargetFailed?(target: string, error: ServiceError): void | Promise<void>
  /** Told of each target that was passed over, once. */
  onTargetSkipped?(target: string, why: TargetSkipped): void
}

export type TargetSkipped = 'circuit_open' | 'cooling_down'

/** No target was called: the vendors of all of them want to be left alone. `retryAfterMs` tells until when. */
export class TargetsCooling extends ServiceError {
  constructor(retryAfterMs: number) {
    super('backend_overloaded', "The model's backend is overloaded. Please try again in a moment.", { retryAfterMs })
    this.name = 'TargetsCooling'
  }
}

/**
 * The answer of one of a model's targets: one that fails is replaced by the next. A stream is shown as it comes, so from
 * its first chunk on nobody can take back what was said, and the failure is thrown on. When all have failed, what is thrown
 * is the last failure after which it is worth asking again.
 */
export async function* streamFromTargets(route: Route): AsyncGenerator<Chunk, void, undefined> {
  const next = createTurns(route, route.health ?? createTargetHealth())
  const failures: ServiceError[] = []
  for (let turn = next(); ; turn = next()) {
    if (turn.kind !== 'call') throw failureOf(turn, failures)
    const outcome = yield* answerOf(route, turn)
    if (outcome === 'answered') return
    await route.onTargetFailed?.(targetName(turn.target), outcome)
    failures.push(outcome)
  }
}

function failureOf(turn: Exclude<Turn, { kind: 'call' }>, failures: ServiceError[]): ServiceError {
  const transient = failures.findLast(({ retryable }) => retryable)
  if (transient || turn.kind === 'nobody') return transient ?? failures.at(-1)!
  return failures.length === 0 ? new TargetsCooling(turn.coolingMs) : backendError.overloaded(turn.coolingMs)
}

type Turn =
  | { kind: 'call'; target: Target; call: TargetCall }
  /** Nobody but those whose vendors want to be left alone. */
  | { kind: 'cooling'; coolingMs: number }
  | { kind: 'nobody' }

/**
 * Whose turn it is: those whose breaker lets them first, then, when nobody else is left, those whose breaker is open. Who is
 * cooling down is not called: that would only prolong it.
 */
function createTurns(route: Route, health: TargetHealth): () => Turn {
  let left = orderOf(route)
  const skipped = new Set<Target>()
  const skip = (target: Target, why: TargetSkipped) => {
    if (!skipped.has(target)) route.onTargetSkipped?.(targetName(target), why)
    skipped.add(target)
  }
  const take = (target: Target, call: TargetCall): Turn => {
    left = left.filter((each) => each !== target)
    return { kind: 'call', target, call }
  }

  return () => {
    const cooling = left.filter((target) => health.coolingMs(target) > 0)
    for (const target of cooling) skip(target, 'cooling_down')
    const callable = left.filter((target) => !cooling.includes(target))
    for (const [position, target] of callable.entries()) {
      const call = health.begin(target)
      if (!call) continue
      for (const passed of callable.slice(0, position)) skip(passed, 'circuit_open')
      return take(target, call)
    }
    const [unloved] = callable
    if (unloved) return take(unloved, health.beginAnyway(unloved))
    if (cooling.length === 0) return { kind: 'nobody' }
    // Clocks tell fractions; what is written down of a failure is whole milliseconds.
    const coolingMs = Math.ceil(Math.max(1, Math.min(...cooling.map((target) => health.coolingMs(target)))))
    return { kind: 'cooling', coolingMs }
  }
}

/** The answer of one target, or the failure after which the next may be asked. */
async function* answerOf(
  route: Route,
  { target, call }: Extract<Turn, { kind: 'call' }>,
): AsyncGenerator<Chunk, 'answered' | ServiceError, undefined> {
  let hasBegun = false
  try {
    for await (const chunk of backendOf(route, target).stream(route.request, target, route.signal)) {
      if (chunk.type === 'usage' && chunk.soFar) {
        route.onUsedSoFar?.(targetName(target), chunk.usage)
        continue
      }
      if (!hasBegun) {
        route.onTarget(targetName(target))
        call.answering()
      }
      hasBegun = true
      yield chunk
    }
    return 'answered'
  } catch (error) {
    // A call that was called off proves nothing, and nobody is asked in its place.
    if (!(error instanceof ServiceError) || route.signal.aborted) throw error
    call.failed(error)
    const isSeen = hasBegun && route.request.stream
    if (isSeen || !isReplaceable(error)) throw error
    return error
  } finally {
    call.over()
  }
}

function backendOf({ backends }: Route, target: Target) {
  const backend = backends.get(target.backend)
  if (!backend) throw new Error(`target ${targetName(target)} names a backend that was not created`)
  return backend
}

/** A failure of the backend, or what its words cannot say: the next target may do better. */
const isReplaceable = ({ code }: ServiceError): boolean =>
  code === 'backend_error' || code === 'backend_overloaded' || code === 'unsupported_parameter'
