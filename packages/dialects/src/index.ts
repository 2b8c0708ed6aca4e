export * as anthropic from './anthropic/index.ts'
export * from './dialect.ts'
export * as openai from './openai/index.ts'
export * from './request-error.ts'
