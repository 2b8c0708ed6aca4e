import { fileURLToPath } from 'node:url'
import type { MigrationSource } from '@weir/runtime'

export const storeMigrations: MigrationSource = {
  room: 'store',
  folder: fileURLToPath(new URL('../migrations', import.meta.url)),
}

export * from './accounts.ts'
export * from './api-keys.ts'
export * from './batch-items.ts'
export * from './batch-lines.ts'
export * from './batch-overview.ts'
export type * from './batch-record.ts'
export * from './batch-upkeep.ts'
export * from './batch-work.ts'
export * from './batches.ts'
export * from './completion-record.ts'
export * from './completion-upkeep.ts'
export * from './completions.ts'
export * from './files.ts'
export * from './idempotency-keys.ts'
export * from './identity-cache.ts'
export * from './kept-completions.ts'
export * from './key-secret.ts'
export { storableJson } from './storable.ts'
export { createRateLimitStore, type RateLimitChanges, type RateLimitStore } from './rate-limits.ts'
export * from './usage.ts'
export { type AccountSecret, type WebhookSecrets, createWebhookSecrets } from './webhook-account-secret.ts'
export {
  type DeliveryFilter,
  type WebhookAttempt,
  type WebhookDeliveries,
  type WebhookDelivery,
  type WebhookEvent,
  createWebhookDeliveries,
} from './webhook-deliveries.ts'
export * from './webhook-endpoints.ts'
export * from './webhook-outbox.ts'
export * from './webhook-upkeep.ts'
