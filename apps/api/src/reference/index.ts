import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { jsonSchemaTransform } from 'fastify-type-provider-zod'
import { described } from './describe.ts'

/** /openapi.json, made from the schemas that requests are checked against, and a page to browse it at /docs. */
export const reference = fastifyPlugin(async (app: FastifyInstance) => {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Weir', description: 'A credit-metered, queue-driven completion service.', version: '0.1.0' },
      components: {
        securitySchemes: {
          apiKey: { type: 'http', scheme: 'bearer', description: 'An API key: weir_sk_…' },
          apiKeyHeader: {
            type: 'apiKey',
            in: 'header',
            name: 'x-api-key',
            description: 'The same key; it counts first',
          },
          adminKey: { type: 'http', scheme: 'bearer', description: "The operator's key" },
        },
      },
    },
    transform: jsonSchemaTransform,
    transformObject: (document) =>
      described('openapiObject' in document ? document.openapiObject : document.swaggerObject),
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    theme: { title: 'Weir API' },
    uiConfig: { layout: 'BaseLayout', deepLinking: true, docExpansion: 'list' },
    staticCSP: true,
    // A service reached by plain HTTP, as on a private network, must find its own scripts there.
    transformStaticCSP: (policy) => policy.replace(/\s*upgrade-insecure-requests;?/, ''),
  })
  app.get('/', { schema: { hide: true } }, async (_, reply) => reply.redirect('/docs'))
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
})
