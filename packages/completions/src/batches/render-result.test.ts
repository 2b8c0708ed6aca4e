import { type Outcome, encodeOutcome, messageIdOf, newBatchId, newCompletionId } from '@weir/contracts'
import type { EndedItem } from '@weir/store'
import { expect, test } from 'vitest'
import { renderResult } from './render-result.ts'

const id = newBatchId()
const completionId = newCompletionId()
const chat = { id, dialect: 'openai', endpoint: '/v1/chat/completions' } as const
const inline = { id, dialect: 'anthropic', endpoint: '/v1/messages' } as const

const answer: Outcome = {
  state: 'completed',
  usage: { inputTokens: 3, cachedInputTokens: 0, outputTokens: 2, source: 'reported' },
  cost: 7n,
  choices: [{ index: 0, parts: [{ type: 'text', text: 'Water.' }], finishReason: 'stop' }],
}
const failure: Outcome = {
  ...answer,
  state: 'failed',
  cost: 0n,
  choices: [],
  error: { code: 'backend_error', message: 'The backend has failed.' },
}

const itemOf = (overrides: Partial<EndedItem>): EndedItem => ({
  line: 4,
  customId: 'mine',
  state: 'completed',
  tries: 2,
  completionId,
  charged: 7n,
  error: undefined,
  outcome: undefined,
  model: 'fast',
  ...overrides,
})

const rendered = (batch: typeof chat | typeof inline, overrides: Partial<EndedItem>): unknown =>
  JSON.parse(renderResult(batch, itemOf(overrides)))

test('an answered line has the whole response, and beside it what it took and cost', () => {
  expect(rendered(chat, { outcome: encodeOutcome(answer) })).toMatchObject({
    id: `batch_req_${id.slice('batch_'.length)}_4`,
    custom_id: 'mine',
    response: {
      status_code: 200,
      request_id: completionId,
      body: {
        id: completionId,
        object: 'chat.completion',
        model: 'fast',
        choices: [{ message: { content: 'Water.' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 3, completion_tokens: 2, credits_consumed: 0.000007 },
      },
    },
    error: null,
    attempts: 2,
    credits_consumed: 0.000007,
  })
})

test('a line that failed has the response that a request of its own would have had', () => {
  const failed = { state: 'failed', outcome: encodeOutcome(failure), charged: 0n } as const

  expect(rendered(chat, failed)).toMatchObject({
    response: { status_code: 502, body: { error: { code: 'backend_error' } } },
    error: null,
  })
  expect(rendered({ ...chat, endpoint: '/v1/messages' } as never, failed)).toMatchObject({
    response: { status_code: 502, body: { type: 'error', error: { type: 'api_error' } } },
  })
})

test.each([
  [{ state: 'cancelled' }, 'batch_cancelled'],
  [{ state: 'expired' }, 'batch_expired'],
  [{ state: 'failed', error: { code: 'max_credits_reached', message: 'No more.' } }, 'max_credits_reached'],
  [{ state: 'completed' }, 'result_gone'],
] as const)('a line that was not run says why: %j', (item, code) => {
  expect(rendered(chat, { ...item, completionId: undefined })).toMatchObject({ response: null, error: { code } })
})

test('a line that was refused when it was its turn has the response of a request that is refused', () => {
  const error = { code: 'model_not_found', message: 'There is no model x.', param: 'body.model' }

  expect(rendered(chat, { state: 'failed', completionId: undefined, error })).toMatchObject({
    response: { status_code: 404, body: { error: { code: 'model_not_found', param: 'body.model' } } },
  })
})

test.each([
  [
    { outcome: encodeOutcome(answer) },
    { type: 'succeeded', message: { id: messageIdOf(completionId), type: 'message', stop_reason: 'end_turn' } },
  ],
  [
    { state: 'failed', outcome: encodeOutcome(failure) },
    { type: 'errored', error: { type: 'error', error: { type: 'api_error' } } },
  ],
  [{ state: 'cancelled' }, { type: 'canceled' }],
  [{ state: 'expired' }, { type: 'expired' }],
  [
    { state: 'failed', error: { code: 'invalid_request', message: 'No.' } },
    { type: 'errored', error: { type: 'error', error: { type: 'invalid_request_error' } } },
  ],
] as const)("in Anthropic's words a line says how it ended: %#", (item, result) => {
  expect(rendered(inline, item)).toMatchObject({ custom_id: 'mine', result })
})
