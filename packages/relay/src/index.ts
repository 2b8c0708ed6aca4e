export * from './control.ts'
export type { Frame, Position } from './encoding.ts'
export * from './frame-writer.ts'
export * from './presence.ts'
export {
  createRelay,
  submissionOf,
  type Cancelled,
  type Claim,
  type Emitted,
  type Inspection,
  type Relay,
  type RelayRecord,
  type Standing,
} from './relay.ts'
export * from './replies.ts'
export { SLOWEST_POLL_MS, type WatchEvent } from './watch.ts'
