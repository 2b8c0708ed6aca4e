import { type RequestDraft, ServiceError } from '@weir/contracts'

const WARMEST = 1

/**
 * Refuses what this API has no word for, so that nothing is dropped on the way to a backend that speaks it. All of it can
 * only have been asked in OpenAI's words, so these name it. How OpenAI is to keep a prompt changes what it costs there, never
 * what is answered: it is left out.
 */
export function assertCarried(request: RequestDraft): void {
  const asked: [param: string, isAsked: boolean][] = [
    ['n', (request.choices ?? 1) > 1],
    ['logprobs', request.logprobs !== undefined],
    ['seed', request.seed !== undefined],
    ['frequency_penalty', Boolean(request.frequencyPenalty)],
    ['presence_penalty', Boolean(request.presencePenalty)],
    ['logit_bias', Object.keys(request.logitBias ?? {}).length > 0],
    ['verbosity', request.verbosity !== undefined],
    ['service_tier', request.serviceTier !== undefined && request.serviceTier !== 'default'],
    ['tools', request.tools?.some(({ kind }) => kind === 'custom') ?? false],
    ...Object.keys(request.extra ?? {}).map((name): [string, boolean] => [name, true]),
  ]
  const param = asked.find(([, isAsked]) => isAsked)?.[0]
  if (param !== undefined) throw notCarried(param)
  assertFormat(request.responseFormat)
  if (request.reasoning?.effort === 'minimal')
    throw notCarried('reasoning_effort', "this model knows 'none', 'low' and above")
  if ((request.temperature ?? 0) > WARMEST)
    throw notCarried('temperature', `this model takes 0 to ${WARMEST}, and ${request.temperature} is above it`)
}

function assertFormat(format: RequestDraft['responseFormat']): void {
  if (format?.type === 'json_object')
    throw notCarried('response_format', "this model answers in JSON only by a schema: use the type 'json_schema'")
  if (format && !format.schema) throw notCarried('response_format.json_schema.schema', 'this model needs a schema')
}

/** The 400 for what is asked by that field. */
export function notCarried(param: string, why = 'this model has nothing like it'): ServiceError {
  return new ServiceError('unsupported_parameter', `'${param}' is not supported as it was sent: ${why}.`, { param })
}
