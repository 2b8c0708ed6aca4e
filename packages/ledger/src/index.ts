import { fileURLToPath } from 'node:url'
import type { MigrationSource } from '@weir/runtime'

export const ledgerMigrations: MigrationSource = {
  room: 'ledger',
  folder: fileURLToPath(new URL('../migrations', import.meta.url)),
}

export * from './amendments.ts'
export * from './app-role.ts'
export * from './check/check.ts'
export * from './expire-grants.ts'
export * from './group-commit.ts'
export * from './history.ts'
export * from './ledger.ts'
export * from './months.ts'
export type { Entry, Grant } from './movements.ts'
export * from './operations.ts'
export * from './price-book.ts'
export * from './prices.ts'
export type * from './tables.ts'
