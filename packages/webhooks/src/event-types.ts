import { z } from 'zod'

/** What accounts can be told of. `batch.paused` may come several times in the life of a batch, every other one comes once. */
export const EventType = z.enum([
  'chat.completion.completed',
  'chat.completion.failed',
  'chat.completion.cancelled',
  'chat.completion.expired',
  'batch.in_progress',
  'batch.paused',
  'batch.completed',
  'batch.failed',
  'batch.cancelled',
  'batch.expired',
])
export type EventType = z.infer<typeof EventType>
