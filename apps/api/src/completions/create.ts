import { chooseModel, fitToModel } from '@weir/backends'
import { type AdmitDeps, type RejoinDeps, admit, heldBy, submit } from '@weir/completions'
import type { Catalogue, CompletionId, CompletionJob, RequestDraft } from '@weir/contracts'
import type { Dialect } from '@weir/dialects'
import type { Standing } from '@weir/queue'
import type { IdempotencyKeys, Identity } from '@weir/store'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { BodyRoom } from '../http/body-room.ts'
import { rateLimitHeaders } from '../http/rate-limits.ts'
import { type AnswerPlainDeps, accepted, answerPlain, answerPlainAgain } from './answer-plain.ts'
import { type AnswerStreamDeps, answerStream, answerStreamAgain } from './answer-stream.ts'
import { type AskLimits, type Asked, type Wish, askOf } from './ask.ts'
import { renderViewAs } from './render-view.ts'
import { foundView, notFound } from './show-completion.ts'

export type CreateDeps = AdmitDeps &
  AnswerPlainDeps &
  AnswerStreamDeps &
  RejoinDeps & {
    catalogue: Pick<Catalogue, 'find' | 'ruleOf' | 'auto'>
    idempotencyKeys: IdempotencyKeys
    askLimits: AskLimits
    bodyRoom: BodyRoom
    /** The largest body of a request for a completion. */
    bodyLimitBytes: number
  }

/** One request in any dialect: all that can be refused is refused before the first byte. */
export async function createCompletion(
  deps: CreateDeps,
  dialect: Dialect,
  { draft, wish, body }: { draft: RequestDraft; wish: Wish; body: Record<string, unknown> },
  asking: Pick<FastifyRequest, 'identity' | 'headers' | 'body' | 'bodyIsDone'>,
  reply: FastifyReply,
) {
  const { identity, headers } = asking
  const paramOf = dialect.paramIn(body)
  const model = chooseModel(deps.catalogue, draft, (id) => deps.prices.priceOf(id).price, { paramOf })
  const request = { ...fitToModel(draft, model, paramOf), account: identity.accountId }
  const asked = { ...askOf(deps.askLimits, headers, { request, model, wish, body }), requested: draft.model ?? 'auto' }
  const held = await heldAlready(deps, identity, asked)
  const tellRates = (standing: Standing) => void reply.headers(rateLimitHeaders(standing, headers))
  const admitted = held ?? (await admit(deps, identity, asked, tellRates))
  // Whoever waits for an answer for minutes holds its question no longer.
  asking.body = undefined
  asking.bodyIsDone?.()
  if (admitted.kind === 'held') return answerAgain(deps, dialect, identity, admitted.by, asked, reply)
  return answer(deps, dialect, admitted.job, asked, reply)
}

/** Whoever repeats a request needs no place, no credits and no rate for it. Two that come at once are told apart by the admission. */
async function heldAlready(deps: CreateDeps, { accountId }: Identity, { idempotency }: Asked) {
  const holder = idempotency && (await deps.idempotencyKeys.holderOf(accountId, idempotency))
  return holder && heldBy(holder)
}

async function answer(deps: CreateDeps, dialect: Dialect, job: CompletionJob, asked: Asked, reply: FastifyReply) {
  // Before the first byte: a stream's headers leave at once.
  if (job.clampedTo !== undefined) reply.header('x-weir-clamped-max-tokens', job.clampedTo)
  reply.header('x-weir-completion-id', job.id)
  if (job.request.stream) return answerStream(deps, dialect, job, reply)
  if (!asked.background) return answerPlain(deps, dialect, job, waitingOf(asked), reply)
  // It is accepted, whether or not Redis can take it now: the reconciler hands over what was not.
  await submit(deps, job, { replyTo: undefined }).catch(deps.onError)
  const { metadata, webhookUrl } = asked
  return accepted(reply, { ...job, dialect, model: job.request.model, background: true, metadata, webhookUrl })
}

/** What an earlier request with the same idempotency key has begun: attached to while it runs, replayed once it has ended. */
async function answerAgain(
  deps: CreateDeps,
  dialect: Dialect,
  { accountId }: Identity,
  id: CompletionId,
  asked: Asked,
  reply: FastifyReply,
) {
  reply.header('idempotent-replayed', 'true').header('x-weir-completion-id', id)
  const record = await deps.completionRecords.find(accountId, id)
  if (!record || record.isDeleted) throw notFound(id)
  const { model, background, metadata } = record
  const attached = { id, accountId, dialect, model, background, metadata, deadlineAt: record.deadlineAt.getTime() }
  if (asked.request.stream) {
    const options = { includeUsage: asked.includeUsage, after: 0, waitForFirst: record.end !== undefined }
    return answerStreamAgain(deps, attached, options, reply)
  }
  if (!asked.background) return answerPlainAgain(deps, attached, waitingOf(asked), reply)
  return accepted(reply, attached, renderViewAs(dialect, await foundView(deps, accountId, id)))
}

const waitingOf = ({ waitMs, prefersAccepted }: Asked) => ({ waitMs, prefersAccepted })
