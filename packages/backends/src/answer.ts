import type { Chunk, ServiceError, Usage } from '@weir/contracts'
import { backendError } from '@weir/dialects'
import type { Call } from './protocol.ts'

export type Asked = Pick<Call, 'choices' | 'maxOutputTokens'>

/** Reads one answer as it arrives. */
export type Answer = {
  /** The chunks these bytes completed. */
  read(bytes: Uint8Array): Chunk[]
  /** The chunks of what nothing follows, not even the blank line after an event. */
  readEnd(): Chunk[]
  /** Events read so far: whether the backend says anything at all, comments aside. */
  readonly events: number
  /** A first token has come, be it of reasoning. */
  readonly begun: boolean
  /**
   * The answer is whole: every choice that was asked for has its finish. Some servers give one whatever is asked; then
   * it takes their word that this is all.
   */
  readonly finished: boolean
  /** The answer has said that it is over. */
  readonly ended: boolean
  /** Why the answer failed; nothing follows. */
  readonly failure: ServiceError | undefined
  /** The last usage told. Some servers count up with every chunk. */
  readonly usage: Usage | undefined
}

const LEAST_LIMIT_BYTES = 4 * 1024 * 1024
// A token with twenty others that were likely in its place takes 2.5 KB on the wire.
const BYTES_PER_TOKEN = 8 * 1024

/** The most bytes that an answer can need, whatever a server that knows no limit may send. */
export const longestAnswerOf = ({ choices, maxOutputTokens }: Asked): number =>
  LEAST_LIMIT_BYTES + choices * maxOutputTokens * BYTES_PER_TOKEN

export const tooLong = (): ServiceError =>
  backendError.failed(new Error('the answer is many times longer than was asked for'))
