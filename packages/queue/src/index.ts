export * from './admission.ts'
export * from './consume.ts'
export * from './lane.ts'
