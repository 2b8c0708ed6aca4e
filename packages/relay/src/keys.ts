import type { CompletionId } from '@weir/contracts'

/**
 * Names in Redis. The two keys of a completion share a cluster slot by the braces; completions spread over the slots.
 */
export function relayKeys(prefix: string) {
  const stateOf = (id: CompletionId) => `${prefix}:completion:{${id}}`
  return {
    /** A hash: the job, who waits, who runs it, how it ended. */
    stateOf,
    /** A stream of frames with ids `<epoch>-<sequence>`. */
    framesOf: (id: CompletionId) => `${stateOf(id)}:frames`,
    replyChannelOf: (replica: string) => `${prefix}:reply:${replica}`,
    controlChannelOf: (worker: string) => `${prefix}:control:${worker}`,
    revocationChannel: `${prefix}:revoked-keys`,
  }
}
