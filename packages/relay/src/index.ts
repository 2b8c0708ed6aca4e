export * from './control.ts'
export * from './frame-writer.ts'
export {
  createRelay,
  type Cancelled,
  type Claim,
  type CompletionRecord,
  type Emitted,
  type Frame,
  type Relay,
} from './relay.ts'
export * from './replies.ts'
export { SLOWEST_POLL_MS, type WatchEvent } from './watch.ts'
