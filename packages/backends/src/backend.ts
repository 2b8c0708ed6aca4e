import type { Chunk, CompletionRequest, Target } from '@weir/contracts'

/**
 * Who generates. `stream` yields the text of an answer as it is made, then its finish, then its usage if the backend
 * tells it. It throws a ServiceError when the backend fails, and what the signal was aborted with when it is aborted;
 * it yields nothing after that. An answer that ends without a finish reason is a failure, never a success.
 */
export type Backend = {
  name: string
  stream(request: CompletionRequest, target: Target, signal: AbortSignal): AsyncIterable<Chunk>
  [Symbol.asyncDispose](): Promise<void>
}

/** The value of a secret by the name of its environment variable. Only a process's `main.ts` reads the environment. */
export type SecretOf = (name: string) => string | undefined

/** How a target is named to clients and operators. */
export const targetName = (target: Target): string => `${target.backend}/${target.model}`
