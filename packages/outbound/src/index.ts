export type { Addresses } from './allowed-address.ts'
export { admissibleUrl } from './allowed-url.ts'
export * from './guarded-fetch.ts'
export { type Resolve, resolveNames } from './resolve-names.ts'
