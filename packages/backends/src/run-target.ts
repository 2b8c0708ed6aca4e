import { type Chunk, type CompletionRequest, type Model, ServiceError, type Target } from '@weir/contracts'
import { targetName } from './backend.ts'
import type { Backends } from './create-backends.ts'

export type Route = {
  backends: Pick<Backends, 'get'>
  model: Pick<Model, 'targets'>
  request: CompletionRequest
  signal: AbortSignal
  /** Told once, before the first chunk: the target that serves, as `backend/model`. */
  onTarget(servedBy: string): void
  /** Told of each target that failed before it had yielded anything, and why. */
  onTargetFailed?(target: string, error: ServiceError): void
}

/**
 * The answer of the first of a model's targets that begins one. Until then a failing target is replaced by the next;
 * from its first chunk on nobody can take back what was said, and the failure is thrown on, as is the last target's.
 */
export async function* streamFromTargets(route: Route): AsyncGenerator<Chunk, void, undefined> {
  const { model, onTarget, onTargetFailed } = route
  const last = model.targets.at(-1)
  for (const target of model.targets) {
    let hasBegun = false
    try {
      for await (const chunk of backendOf(route, target).stream(route.request, target, route.signal)) {
        if (!hasBegun) onTarget(targetName(target))
        hasBegun = true
        yield chunk
      }
      return
    } catch (error) {
      if (hasBegun || !isReplaceable(error)) throw error
      onTargetFailed?.(targetName(target), error)
      if (target === last || route.signal.aborted) throw error
    }
  }
}

function backendOf({ backends }: Route, target: Target) {
  const backend = backends.get(target.backend)
  if (!backend) throw new Error(`target ${targetName(target)} names a backend that was not created`)
  return backend
}

/** A failure of the backend, not of the request: the next target may do better. */
const isReplaceable = (error: unknown): error is ServiceError =>
  error instanceof ServiceError && (error.code === 'backend_error' || error.code === 'backend_overloaded')
