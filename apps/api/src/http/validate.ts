import { requestErrorOf } from '@weir/dialects'
import type { FastifyInstance } from 'fastify'
import type { z } from 'zod'

/** Schemas of routes are zod; what they refuse is a 400 that names the field. Answers are ours and are not checked again. */
export function validateWithZod(app: FastifyInstance): void {
  app.setValidatorCompiler<z.ZodType>(({ schema }) => (data) => {
    const parsed = schema.safeParse(data)
    return parsed.success ? { value: parsed.data } : { error: requestErrorOf(parsed.error.issues) }
  })
  app.setSerializerCompiler(() => JSON.stringify)
}
