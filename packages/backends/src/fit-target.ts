import {
  type CompletionRequest,
  type Message,
  type Model,
  ServiceError,
  type Source,
  type Target,
  needsOf,
} from '@weir/contracts'
import { anthropicBodyOf } from './anthropic-body.ts'
import { holds, lookAt } from './conditions.ts'
import { openAiBodyOf } from './openai-body.ts'
import { type ParamOf, cannot, passedBy } from './refusals.ts'
import { inputTokenBound, promptText } from './tokens.ts'
import { inlinesImages } from './with-inlined-images.ts'

/** What a target refuses, as far as the catalogue tells. */
export function refusalByTarget(
  request: CompletionRequest,
  target: Target,
  model: Pick<Model, 'id' | 'contextWindow'>,
  paramOf: ParamOf,
): ServiceError | undefined {
  const { capabilities, contextWindow = model.contextWindow } = target
  const missing = capabilities && needsOf(request).find((need) => !capabilities.includes(need))
  if (missing) return cannot(model.id, missing, paramOf)
  const foreign = Object.keys(request.extra ?? {}).find((name) => !passedBy(target).includes(name))
  if (foreign !== undefined) {
    const message = `'${foreign}' is not supported here together with what else is asked for.`
    return new ServiceError('unsupported_parameter', message, { param: foreign })
  }
  return isCertainlyTooLong(request, contextWindow) ? tooLong(model, contextWindow, paramOf) : undefined
}

/** What the conditions of a target refuse, but for the price: nobody has quoted the request yet. */
export function refusalByCondition(
  request: CompletionRequest,
  { when }: Target,
  { id }: Pick<Model, 'id'>,
  paramOf: ParamOf,
): ServiceError | undefined {
  if (!when || holds(when, lookAt(request))) return undefined
  const message = `${id} takes no requests of this size or kind. GET /v1/models lists other models.`
  return new ServiceError('invalid_request', message, { param: paramOf('model') })
}

/** What the words of its backend cannot say: found out by saying it, before anything is reserved or promised. */
export function notCarriedBy(request: CompletionRequest, target: Target): ServiceError | undefined {
  const { config } = target
  if (!config || config.kind === 'simulated') return undefined
  const said = inlinesImages(config) ? withInlined(request) : request
  try {
    if (config.kind === 'anthropic') anthropicBodyOf(said, target, config)
    else openAiBodyOf(said, target, config)
    return undefined
  } catch (error) {
    if (error instanceof ServiceError) return error
    throw error
  }
}

/** As the request will be once what it names by address has been fetched. */
function withInlined(request: CompletionRequest): CompletionRequest {
  const inlined = <Part extends { type: string }>(part: Part): Part =>
    'source' in part && (part.source as Source).kind === 'url' ? { ...part, source: fetchedAs(part.type) } : part
  const messages = request.messages.map((message) =>
    typeof message.content === 'string' ? message : { ...message, content: message.content.map(inlined) },
  )
  return { ...request, messages: messages as Message[] }
}

const fetchedAs = (type: string): Source => ({
  kind: 'base64',
  mediaType: type === 'image' ? 'image/png' : 'application/pdf',
  data: 'AA==',
})

/** No tokenizer finds fewer tokens in words of any language; runs of one character, which can be long tokens, count as one. */
const MOST_CHARACTERS_PER_TOKEN = 16

/** Whether a prompt is beyond a context window by any tokenizer. What is near it is for the backend to judge. */
function isCertainlyTooLong(request: CompletionRequest, contextWindow: number): boolean {
  if (inputTokenBound(request) <= contextWindow) return false
  const text = promptText(request)
  if (text.length / MOST_CHARACTERS_PER_TOKEN <= contextWindow) return false
  return text.replaceAll(/(.)\1+/gsu, '$1').length / MOST_CHARACTERS_PER_TOKEN > contextWindow
}

function tooLong({ id }: Pick<Model, 'id'>, contextWindow: number, paramOf: ParamOf): ServiceError {
  const message = `This request is longer than the context of ${id}, which is ${contextWindow} tokens. Shorten the messages.`
  return new ServiceError('context_length_exceeded', message, { param: paramOf('messages') })
}
