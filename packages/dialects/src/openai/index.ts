export * from './answer.ts'
export * from './bounds.ts'
export * from './error.ts'
export * from './request.ts'
