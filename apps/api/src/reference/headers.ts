type Header = { description: string; schema: { type: 'string' | 'integer' } }
export type Headers = Record<string, Header>
export type Parameter = Header & { in: 'header'; name: string }

const text = (description: string): Header => ({ description, schema: { type: 'string' } })
const whole = (description: string): Header => ({ description, schema: { type: 'integer' } })

/** On every answer. */
export const always: Headers = {
  'x-request-id': text('The id of this request, for our logs'),
  'request-id': text("The same, under the name that Anthropic's clients look for"),
}

/** On answers that ask to be repeated later. */
export const onBusy: Headers = {
  'retry-after': whole('Seconds to wait before the request is repeated: 1 to 59'),
  'retry-after-ms': whole('The same in milliseconds'),
}

/** On failures that repeating does not mend, though clients would. */
export const onFailure: Headers = { 'x-should-retry': text('`false` where repeating the request cannot help') }

/** On answers to requests for completions. */
export const onCompletions: Headers = {
  'x-weir-completion-id': text('The id of the completion'),
  'x-weir-clamped-max-tokens': whole('The output cap, where it was lowered to what the account could pay for'),
  'idempotent-replayed': text('`true` where an earlier request with the same idempotency key made the completion'),
  'x-ratelimit-limit-requests': whole('Requests that may be made in any minute, where that is bounded'),
  'x-ratelimit-remaining-requests': whole('How many of them are left'),
  'x-ratelimit-reset-requests': text('After so long all of them are there again, such as `1s` or `6m0s`'),
  'x-ratelimit-limit-tokens': whole('Tokens that may be used in any minute, where that is bounded'),
  'x-ratelimit-remaining-tokens': whole('How many of them are left'),
  'x-ratelimit-reset-tokens': text('After so long all of them are there again'),
}

/** On answers to what goes on by itself. */
export const onAccepted: Headers = {
  location: text('Where the completion is asked for'),
  'preference-applied': text('`wait=N`, where that was preferred'),
}

const parameter = (name: string, header: Header): Parameter => ({ in: 'header', name, ...header })

/** What requests for completions may say in their headers. */
export const asked: readonly Parameter[] = [
  parameter('idempotency-key', text('1 to 255 characters: requests of an account with one key make one completion')),
  parameter('prefer', text('`wait=N`: a 202 after so many seconds rather than an error; `respond-async`: at once')),
  parameter('x-weir-timeout', text('Seconds from now to the last token')),
]

export const version: Parameter = parameter(
  'anthropic-version',
  text("`2023-06-01` or `2026-10-21`. On paths of both APIs it asks for the shapes and the errors of Anthropic's."),
)
