import { z } from 'zod'
import type { BackendConfig } from './backend-config.ts'
import { Price } from './price.ts'

export const Target = z.strictObject({ backend: z.string(), model: z.string().min(1) })
export type Target = z.infer<typeof Target>

/** A model as the API and the worker know it. */
export const Model = z.object({
  id: z.string(),
  aliases: z.array(z.string()),
  targets: z.array(Target).min(1),
  price: Price,
  maxOutputTokens: z.int().positive(),
  contextWindow: z.int().positive(),
})
export type Model = z.infer<typeof Model>

export type Catalogue = {
  backends: ReadonlyMap<string, BackendConfig>
  models: readonly Model[]
  /** By id and by alias. */
  find(name: string): Model | undefined
  /** What a request without a model, or with `auto`, gets. */
  default: Model
}
