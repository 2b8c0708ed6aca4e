import {
  type OutcomeError,
  ServiceError,
  creditsNumber,
  decodeOutcome,
  errors,
  isErrorCode,
  messageIdOf,
  mintedAt,
} from '@weir/contracts'
import { anthropic, openai } from '@weir/dialects'
import type { Batch, EndedItem, ItemError } from '@weir/store'

/** A line of the results as text, without its newline: in the words of the API in which its batch was made. */
export function renderResult(batch: Pick<Batch, 'id' | 'dialect' | 'endpoint'>, item: EndedItem): string {
  return JSON.stringify(batch.dialect === 'anthropic' ? messageResult(item) : requestOutput(batch, item))
}

/**
 * OpenAI's: a whole response where one was given, be it an error, else why there is none (platform.openai.com/docs/api-reference/batch).
 * What a line took and cost stands beside it.
 */
function requestOutput({ id, endpoint }: Pick<Batch, 'id' | 'endpoint'>, item: EndedItem) {
  return {
    id: `batch_req_${id.slice('batch_'.length)}_${item.line}`,
    custom_id: item.customId,
    ...responseOf(endpoint, item),
    completion_id: item.completionId ?? null,
    attempts: item.tries,
    credits_consumed: creditsNumber(item.charged),
  }
}

function responseOf(endpoint: string, item: EndedItem) {
  const end = endOf(item)
  const request_id = item.completionId ?? null
  switch (end.kind) {
    case 'answered':
      return { response: { status_code: 200, request_id, body: bodyOf(endpoint, item, end) }, error: null }
    case 'refused': {
      const render = endpoint === '/v1/messages' ? anthropic.renderError : openai.renderError
      const { status } = errors[end.error.code]
      return { response: { status_code: status, request_id, body: render(end.error) }, error: null }
    }
    case 'not_run':
      return { response: null, error: { code: end.code, message: end.message } }
  }
}

/** Anthropic's (docs.anthropic.com/en/api/retrieving-message-batch-results). */
function messageResult(item: EndedItem) {
  const end = endOf(item)
  const result = () => {
    if (end.kind === 'answered') return { type: 'succeeded', message: bodyOf('/v1/messages', item, end) }
    if (item.state === 'cancelled') return { type: 'canceled' }
    if (item.state === 'expired') return { type: 'expired' }
    const error = end.kind === 'refused' ? end.error : new ServiceError('invalid_request', end.message)
    return { type: 'errored', error: anthropic.renderError(error) }
  }
  return { custom_id: item.customId, result: result() }
}

type Answered = { kind: 'answered'; outcome: ReturnType<typeof decodeOutcome>; model: string }
type End = Answered | { kind: 'refused'; error: ServiceError } | { kind: 'not_run'; code: string; message: string }

function endOf({ state, outcome: text, error, model }: EndedItem): End {
  if (state === 'cancelled') return { kind: 'not_run', ...unfinishedLines.cancelled }
  if (state === 'expired') return { kind: 'not_run', ...unfinishedLines.expired }
  if (error) return refusedFor(error)
  if (text === undefined) return notRun('result_gone', 'The result of this line is not kept any more.')
  const outcome = decodeOutcome(text)
  if (state === 'completed') return { kind: 'answered', outcome, model: model! }
  return refusedFor(outcome.error ?? { code: 'internal', message: 'Something went wrong on our side.' })
}

/** Why a line has no answer that nothing went wrong with. */
export const unfinishedLines = {
  cancelled: {
    code: 'batch_cancelled',
    message: 'This line was not run to its end: it was cancelled, or its batch was.',
  },
  expired: { code: 'batch_expired', message: 'This line was not run in time: the window of the batch has ended.' },
} as const

const notRun = (code: string, message: string): End => ({ kind: 'not_run', code, message })

function refusedFor({ code, message, param }: ItemError | OutcomeError): End {
  if (!isErrorCode(code)) return notRun(code, message)
  return { kind: 'refused', error: new ServiceError(code, message, param === undefined ? {} : { param }) }
}

function bodyOf(endpoint: string, { completionId, charged }: EndedItem, { outcome, model }: Answered): object {
  const { choices, usage, clampedTo } = outcome
  const id = completionId!
  const created = Math.floor(mintedAt(id) / 1_000)
  const bill = { usage, charged, clampedTo }
  if (endpoint === '/v1/messages') return anthropic.renderAnswer({ id: messageIdOf(id), created, model }, choices, bill)
  return openai.renderAnswer({ id, created, model }, choices, bill)
}
