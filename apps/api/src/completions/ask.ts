import { createHash } from 'node:crypto'
import type { Ask } from '@weir/completions'
import { type CompletionRequest, type Model, ServiceError } from '@weir/contracts'
import type { Metadata } from '@weir/store'
import type { IncomingHttpHeaders } from 'node:http'
import type { Addresses } from '@weir/outbound'
import { webhookUrlOf } from '../webhooks/webhook-url.ts'
import { preferenceOf } from './preference.ts'

export type AskLimits = {
  /** From admission to the last token where the request does not say, in milliseconds. */
  timeouts: { plainMs: number; streamMs: number; backgroundMs: number }
  /** Longest wait of a plain call. */
  waitMs: number
  /** How long results are kept. */
  keep: { backgroundMs: number; storedMs: number; idempotencyMs: number }
  /** Whom events may be sent to. */
  webhookAddresses: Addresses
}

/** What a client wants done with its completion, whichever dialect it says it in. */
export type Wish = {
  background: boolean
  store: boolean
  metadata: Metadata | undefined
  /** Its stream ends with what was used. */
  includeUsage: boolean
  /** Where its end is told. */
  webhookUrl: string | undefined
}

/** A request as it was understood: `body` is what was sent, and tells it from another one with the same idempotency key. */
export type Understood = { request: CompletionRequest; model: Model; wish: Wish; body: unknown }

/** `waitMs`: how long a plain call waits; `prefersAccepted`: it then wants a 202 rather than an error. */
export type Asked = Ask & { waitMs: number; prefersAccepted: boolean }

/** What a request asks for, its headers included. Throws a 400 that names what is wrong. */
export function askOf(
  { timeouts, waitMs, keep, webhookAddresses }: AskLimits,
  headers: IncomingHttpHeaders,
  { request, model, wish, body }: Understood,
): Asked {
  const preference = preferenceOf(headers['prefer'])
  const background = wish.background || (preference?.respondAsync === true && !request.stream)
  const idempotency = idempotencyOf(headers['idempotency-key'], body)
  const prefersAccepted = preference?.waitMs !== undefined && !request.stream && !background
  // Whoever sends a key says that it will come back.
  const attended = !background && idempotency === undefined
  const webhookUrl = wish.webhookUrl === undefined ? undefined : webhookUrlOf(wish.webhookUrl, webhookAddresses)
  const keepMs = Math.max(
    // Whoever is told of its end asks for its result then.
    background || prefersAccepted || webhookUrl !== undefined ? keep.backgroundMs : 0,
    wish.store ? keep.storedMs : 0,
    idempotency ? keep.idempotencyMs : 0,
  )
  const byDefault = background ? timeouts.backgroundMs : request.stream ? timeouts.streamMs : timeouts.plainMs
  const asked = timeoutOf(headers['x-weir-timeout'], timeouts.backgroundMs)
  // The official clients tell when they will stop waiting for an answer. It says nothing about the length of a stream.
  const gone =
    attended && !request.stream && !prefersAccepted ? clientTimeoutOf(headers['x-stainless-timeout']) : undefined

  return {
    model,
    request,
    timeoutMs: Math.min(asked ?? byDefault, gone ?? Infinity),
    ownDeadline: asked !== undefined || (gone !== undefined && gone < byDefault),
    background,
    attended,
    keepMs: keepMs === 0 ? undefined : keepMs,
    metadata: wish.metadata,
    includeUsage: wish.includeUsage,
    webhookUrl,
    idempotency,
    waitMs: Math.min(preference?.waitMs ?? waitMs, waitMs),
    prefersAccepted,
  }
}

const keyShape = /^[\x21-\x7e]{1,255}$/

/** A key that makes a request safe to repeat, and what tells that request from another. */
export function idempotencyOf(header: string | string[] | undefined, body: unknown): Ask['idempotency'] {
  const key = idempotencyKeyOf(header)
  return key === undefined ? undefined : { key, digest: createHash('sha256').update(JSON.stringify(body)).digest() }
}

export function idempotencyKeyOf(key: string | string[] | undefined): string | undefined {
  if (key === undefined || (typeof key === 'string' && keyShape.test(key))) return key
  const message = "'Idempotency-Key' must be 1 to 255 printable ASCII characters without spaces."
  throw new ServiceError('invalid_request', message, { param: 'Idempotency-Key' })
}

function timeoutOf(seconds: string | string[] | undefined, mostMs: number): number | undefined {
  if (seconds === undefined) return undefined
  const ms = typeof seconds === 'string' && /^\d{1,9}(\.\d{1,9})?$/.test(seconds) ? Number(seconds) * 1_000 : Number.NaN
  if (ms >= 1 && ms <= mostMs) return Math.round(ms)
  const message = `'x-weir-timeout' must be a number of seconds above 0, at most ${mostMs / 1_000}.`
  throw new ServiceError('invalid_request', message, { param: 'x-weir-timeout' })
}

function clientTimeoutOf(seconds: string | string[] | undefined): number | undefined {
  const ms = Number(seconds) * 1_000
  return ms >= 1_000 ? ms : undefined
}
