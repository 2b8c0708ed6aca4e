import { fileURLToPath } from 'node:url'
import type { MigrationSource } from '@weir/runtime'

export const storeMigrations: MigrationSource = {
  room: 'store',
  folder: fileURLToPath(new URL('../migrations', import.meta.url)),
}

export * from './accounts.ts'
export * from './api-keys.ts'
export * from './completion-record.ts'
export * from './completion-upkeep.ts'
export * from './completions.ts'
export * from './idempotency-keys.ts'
export * from './identity-cache.ts'
export * from './kept-completions.ts'
export * from './key-secret.ts'
export { createRateLimitStore, type RateLimitChanges, type RateLimitStore } from './rate-limits.ts'
export * from './usage.ts'
