import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { jsonSchemaTransform } from 'fastify-type-provider-zod'
import { eventOperations } from '../webhooks/event-operations.ts'
import { described } from './describe.ts'

/** What whoever looks at the address itself is told; browsers are shown the page. */
const entrance = {
  name: 'Weir',
  description: 'A credit-metered, queue-driven completion service.',
  documentation: '/docs',
  openapi: '/openapi.json',
  apis: { openai: '/v1/chat/completions', anthropic: '/v1/messages', models: '/v1/models', admin: '/admin/v1' },
}

/** /openapi.json, made from the schemas that requests are checked against, and a page to browse it at /docs. */
export const reference = fastifyPlugin(async (app: FastifyInstance) => {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: entrance.name, description: entrance.description, version: '0.1.0' },
      webhooks: eventOperations,
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
  app.get('/', { schema: { hide: true } }, async ({ headers }, reply) =>
    headers.accept?.includes('text/html') ? reply.redirect('/docs') : entrance,
  )
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
})
