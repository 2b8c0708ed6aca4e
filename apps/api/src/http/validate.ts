import { checked } from '@weir/dialects'
import type { FastifyInstance } from 'fastify'
import type { z } from 'zod'

/** Schemas of routes are zod; what they refuse is a 400 that names the field. Answers are ours and are not checked again. */
export function validateWithZod(app: FastifyInstance): void {
  app.setValidatorCompiler<z.ZodType>(
    ({ schema }) =>
      (data) =>
        checked(schema, data),
  )
  app.setSerializerCompiler(() => JSON.stringify)
}
