import { chooseModel, fitToModel } from '@weir/backends'
import {
  type Catalogue,
  type CompletionRequest,
  type Model,
  type Price,
  type RequestDraft,
  ServiceError,
} from '@weir/contracts'
import { anthropic, checked, openai } from '@weir/dialects'
import type { Batch, BatchError, Metadata } from '@weir/store'
import secureJson from 'secure-json-parse'
import { z } from 'zod'

export type ReadLineDeps = {
  catalogue: Pick<Catalogue, 'find' | 'ruleOf' | 'auto'>
  priceOf: (model: string) => Price
}

/** A line of a batch, ready to be admitted. */
export type Line = {
  customId: string
  model: Model
  request: CompletionRequest
  /** What it asks for by name. */
  requested: string
  metadata: Metadata | undefined
}

export type ReadLine = { kind: 'line'; line: Line } | { kind: 'bad'; customId: string | undefined; error: LineError }
type LineError = Omit<BatchError, 'line'>

/** What a line may ask for: the urls of OpenAI's batches (wire names of our own endpoints). */
export const batchEndpoints = ['/v1/chat/completions', '/v1/messages'] as const
export type BatchEndpoint = (typeof batchEndpoints)[number]

const MOST_CUSTOM_ID_CHARACTERS = 512

/** It is kept, and told again as it was written. */
const CustomId = z
  .string()
  .min(1)
  .max(MOST_CUSTOM_ID_CHARACTERS)
  .refine((id) => id.isWellFormed() && !id.includes('\0'), { error: 'must be well-formed text without NUL' })

const Envelope = z.strictObject({
  custom_id: CustomId,
  method: z.literal('POST'),
  url: z.string(),
  body: z.record(z.string(), z.unknown()),
})

/** Reads one line of the input as it would be read as a request of its own; nothing of it has happened yet. */
export function readLine(deps: ReadLineDeps, batch: Pick<Batch, 'dialect' | 'endpoint'>, text: string): ReadLine {
  let customId: string | undefined
  try {
    const parsed = parsedJson(text)
    customId = customIdOf(parsed)
    const envelope = checked(Envelope, parsed)
    if (envelope.error) throw envelope.error
    if (envelope.value.url !== batch.endpoint) throw mismatched(batch)
    const line = inBody(bodyNames[batch.dialect], () => requestIn(deps, batch, envelope.value.body))
    return { kind: 'line', line: { ...line, customId: envelope.value.custom_id } }
  } catch (error) {
    if (error instanceof BadLine) return { kind: 'bad', customId, error: error.as }
    if (!(error instanceof ServiceError)) throw error
    const { code, message, param } = error
    return { kind: 'bad', customId, error: { code, message, ...(param !== undefined && { param }) } }
  }
}

function requestIn(deps: ReadLineDeps, { endpoint }: Pick<Batch, 'endpoint'>, body: Record<string, unknown>) {
  const { draft, metadata, paramOf } = readers[endpoint as BatchEndpoint](body)
  const model = chooseModel(deps.catalogue, draft, deps.priceOf, { paramOf })
  return { model, request: fitToModel(draft, model, paramOf), requested: draft.model ?? 'auto', metadata }
}

/** What the client wrote the request under. */
const bodyNames = { openai: 'body', anthropic: 'params' } as const

const mismatched = ({ endpoint }: Pick<Batch, 'endpoint'>) =>
  bad('mismatched_url', `'url' must be ${endpoint}, as the endpoint of the batch is.`, 'url')

type Understood = {
  draft: RequestDraft
  metadata: Metadata | undefined
  paramOf: ReturnType<typeof openai.dialect.paramIn>
}

const readers: Record<BatchEndpoint, (body: Record<string, unknown>) => Understood> = {
  '/v1/chat/completions': (sent) => {
    openai.assertBounded(sent)
    const { value: body, error } = checked(openai.ChatCompletionRequest, openai.withoutNulls(sent))
    if (error) throw error
    return { ...understood(openai.toCanonical(body), openai.wishOf(body)), paramOf: openai.dialect.paramIn(sent) }
  },
  '/v1/messages': (sent) => {
    anthropic.assertBounded(sent)
    const { value: body, error } = checked(anthropic.MessagesRequest, anthropic.withoutNulls(sent))
    if (error) throw error
    const draft = anthropic.toCanonical(body, ANTHROPIC_VERSION)
    return { ...understood(draft, anthropic.wishOf(body)), paramOf: anthropic.dialect.paramIn(sent) }
  },
}

/** Lines have no headers: they are read as those of the version that every client knows. */
const ANTHROPIC_VERSION = '2023-06-01'

type Wished = { background: boolean; metadata: Metadata | undefined; webhookUrl: string | undefined }

function understood(draft: RequestDraft, wish: Wished) {
  if (draft.stream) throw inLine('stream')
  if (wish.background) throw inLine('background')
  if (wish.webhookUrl !== undefined) throw inLine('webhook_url')
  return { draft, metadata: wish.metadata }
}

const inLine = (param: string) =>
  new ServiceError('invalid_request', `'${param}' cannot be used in a batch: its results are read from its output.`, {
    param,
  })

/** Fields are named from the line on. */
function inBody<T>(name: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    throw bad(error.code, error.message, error.param === undefined ? name : `${name}.${error.param}`)
  }
}

class BadLine extends Error {
  readonly as: LineError

  constructor(as: LineError) {
    super(as.message)
    this.as = as
  }
}

const bad = (code: string, message: string, param?: string) =>
  new BadLine({ code, message, ...(param !== undefined && { param }) })

/** What pollutes prototypes is refused, as it is in the body of a request. */
function parsedJson(text: string): unknown {
  try {
    return secureJson.parse(text)
  } catch {
    throw bad('invalid_json_line', 'This line is not valid JSON: each line must be one whole JSON object.')
  }
}

const customIdOf = (value: unknown): string | undefined =>
  CustomId.safeParse((value as { custom_id?: unknown } | null)?.custom_id).data
