import { newRequestId } from '@weir/contracts'
import type { IdentityCache } from '@weir/store'
import { type FastifyBaseLogger, type FastifyInstance, LogController, fastify } from 'fastify'
import { type AdminDeps, admin } from './admin/index.ts'
import { createAuthenticate } from './authenticate.ts'
import { type BatchesDeps, batches } from './batches/index.ts'
import { type CompletionsDeps, completions } from './completions/index.ts'
import { type CreditsDeps, credits } from './credits.ts'
import { type FilesDeps, files } from './files/index.ts'
import { type HealthDeps, health } from './health.ts'
import { takeEmptyBodies } from './http/empty-body.ts'
import { handleErrors, refuseUnroutable } from './http/errors.ts'
import { refuseMalformed } from './http/malformed.ts'
import { nameRequests } from './http/request-id.ts'
import { cutOffSlowSenders } from './http/slow-senders.ts'
import { cutOffUnreadAnswers } from './http/unread.ts'
import { validateWithZod } from './http/validate.ts'
import { type ModelsDeps, models } from './models/index.ts'
import { receiptKeys } from './receipts/keys.ts'
import { type ReceiptsDeps, receipts } from './receipts/receipt.ts'
import { reference } from './reference/index.ts'
import { type UsageDeps, usage } from './usage.ts'
import { type WebhooksDeps, webhooks } from './webhooks/index.ts'

export type ServerDeps = CompletionsDeps &
  AdminDeps &
  HealthDeps &
  ReceiptsDeps &
  ModelsDeps &
  CreditsDeps &
  WebhooksDeps &
  UsageDeps &
  FilesDeps &
  BatchesDeps & { keys: IdentityCache }

/** Slow senders are cut off: headers within 10 s, a whole request within 60 s, unless its route gives it time. */
const REQUEST_TIMEOUT_MS = 60_000
const timeouts = { headersTimeout: 10_000, connectionsCheckingInterval: 2_000 }

/** Of all requests but those for a completion. */
const SMALL_BODY_BYTES = 1_048_576

/** The HTTP edge, ready to listen: each endpoint is a plugin, every answer passes the same hooks. */
export async function createServer(deps: ServerDeps, options: { log: FastifyBaseLogger }): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: Math.min(deps.bodyLimitBytes, SMALL_BODY_BYTES),
    loggerInstance: options.log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: newRequestId,
    requestIdHeader: false,
    routerOptions: { maxParamLength: 256 },
    forceCloseConnections: 'idle',
    // What comes on a connection that was kept open is served: its answer closes it.
    return503OnClosing: false,
    frameworkErrors: refuseUnroutable,
    clientErrorHandler: refuseMalformed,
    http: timeouts,
  })
  app.removeContentTypeParser('text/plain')
  takeEmptyBodies(app)
  nameRequests(app)
  handleErrors(app)
  validateWithZod(app)
  cutOffSlowSenders(app, REQUEST_TIMEOUT_MS)
  cutOffUnreadAnswers(app, deps.eventStream.stallMs)

  await app.register(reference)
  await app.register(health(deps))
  await app.register(receiptKeys(deps))
  await app.register(async (v1) => {
    v1.addHook('onRequest', createAuthenticate(deps.keys))
    await v1.register(completions(deps))
    await v1.register(models(deps))
    await v1.register(credits(deps))
    await v1.register(usage(deps))
    await v1.register(receipts(deps))
    await v1.register(files(deps))
    await v1.register(batches(deps))
    await v1.register(webhooks(deps))
  })
  await app.register(admin(deps), { prefix: '/admin/v1' })
  return app
}
