import { type Chunk, ServiceError, type Target } from '@weir/contracts'
import { targetName } from './backend.ts'
import type { Backends } from './create-backends.ts'
import { type TargetCall, type TargetHealth, createTargetHealth } from './target-health.ts'
import { type Routed, orderOf } from './target-order.ts'

export type Route = Routed & {
  backends: Pick<Backends, 'get'>
  /** How the targets do, in this process; without it all are taken to be well. */
  health?: TargetHealth | undefined
  signal: AbortSignal
  /** Told once, before the first chunk: the target that serves, as `backend/model`. */
  onTarget(servedBy: string): void
  /** Told of each target that failed before it had yielded anything, and why. */
  onTargetFailed?(target: string, error: ServiceError): void
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
 * The answer of the first of a model's targets that begins one. Until then a failing target is replaced by the next;
 * from its first chunk on nobody can take back what was said, and the failure is thrown on, as is the last target's.
 */
export async function* streamFromTargets(route: Route): AsyncGenerator<Chunk, void, undefined> {
  const next = createTurns(route, route.health ?? createTargetHealth())
  for (let turn = next(); ;) {
    if ('coolingMs' in turn) throw new TargetsCooling(turn.coolingMs)
    const outcome = yield* answerOf(route, turn)
    if (outcome === 'answered') return
    route.onTargetFailed?.(targetName(turn.target), outcome)
    if (route.signal.aborted) throw outcome
    turn = next()
    if ('coolingMs' in turn) throw outcome
  }
}

type Turn = { target: Target; call: TargetCall } | { coolingMs: number }

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
    return { target, call }
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
    return { coolingMs: Math.max(1, Math.min(...cooling.map((target) => health.coolingMs(target)))) }
  }
}

/** The answer of one target, or the failure after which the next may be asked. */
async function* answerOf(
  route: Route,
  { target, call }: Extract<Turn, { call: TargetCall }>,
): AsyncGenerator<Chunk, 'answered' | ServiceError, undefined> {
  let hasBegun = false
  try {
    for await (const chunk of backendOf(route, target).stream(route.request, target, route.signal)) {
      if (!hasBegun) {
        route.onTarget(targetName(target))
        call.answering()
      }
      hasBegun = true
      yield chunk
    }
    return 'answered'
  } catch (error) {
    if (error instanceof ServiceError && !route.signal.aborted) call.failed(error)
    if (hasBegun || !isReplaceable(error)) throw error
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
const isReplaceable = (error: unknown): error is ServiceError =>
  error instanceof ServiceError &&
  (error.code === 'backend_error' || error.code === 'backend_overloaded' || error.code === 'unsupported_parameter')
