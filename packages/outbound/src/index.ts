export type { Addresses } from './allowed-address.ts'
export * from './guarded-fetch.ts'
export { type Resolve, resolveNames } from './resolve-names.ts'
