import { fileURLToPath } from 'node:url'
import type { MigrationSource } from '@weir/runtime'

export const ledgerMigrations: MigrationSource = {
  room: 'ledger',
  folder: fileURLToPath(new URL('../migrations', import.meta.url)),
}

export * from './group-commit.ts'
export * from './ledger.ts'
export * from './operations.ts'
export type { EntryKind, GrantKind } from './tables.ts'
