import {
  type Bounds,
  type CompletionRequest,
  type Model,
  type Range,
  ServiceError,
  imagesIn,
  needsOf,
} from '@weir/contracts'
import { type ParamOf, cannot, passedBy } from './refusals.ts'

/** What a model refuses whichever of its targets would serve. */
export function refusalByModel(request: CompletionRequest, model: Model, paramOf: ParamOf): ServiceError | undefined {
  return (
    refusalOfNeeds(request, model, paramOf) ??
    refusalOfNumbers(request, model, paramOf) ??
    refusalOfMessages(request, model, paramOf) ??
    refusalOfExtra(request, model)
  )
}

function refusalOfNeeds(request: CompletionRequest, { id, capabilities }: Model, paramOf: ParamOf) {
  const missing = capabilities && needsOf(request).find((need) => !capabilities.includes(need))
  return missing && cannot(id, missing, paramOf)
}

function refusalOfNumbers(request: CompletionRequest, model: Model, paramOf: ParamOf): ServiceError | undefined {
  const { maxOutputTokens: bound = {}, ...others } = model.bounds ?? {}
  const max = Math.min(bound.max ?? Infinity, model.maxOutputTokens)
  const bounds: Bounds = { maxOutputTokens: { ...bound, max }, ...others }
  for (const [field, range] of Object.entries(bounds) as [keyof Bounds, Range][]) {
    const value = request[field]
    if (value === undefined) continue
    const problem = outOf(range, value)
    if (!problem) continue
    const param = paramOf(field)
    return new ServiceError('invalid_request', `'${param}' is ${problem} for ${model.id}.`, { param })
  }
  return undefined
}

function outOf({ min = -Infinity, max = Infinity }: Range, value: number): string | undefined {
  if (value > max) return `too large: ${value} is above ${max}, the most`
  return value < min ? `too small: ${value} is below ${min}, the least` : undefined
}

function refusalOfMessages(request: CompletionRequest, model: Model, paramOf: ParamOf): ServiceError | undefined {
  const { id, roles, images = {} } = model
  const refused = roles && request.messages.find(({ role }) => !roles.includes(role))
  const param = paramOf('messages')
  if (refused) {
    const message = `${id} takes no messages of the role '${refused.role}', only of: ${roles.join(', ')}.`
    return new ServiceError('unsupported_parameter', message, { param })
  }
  const shown = images.max === undefined ? 0 : imagesIn(request)
  if (shown > (images.max ?? Infinity)) {
    const message = `${id} takes at most ${images.max} images, and this request has ${shown}.`
    return new ServiceError('invalid_request', message, { param: paramOf('images', images.max! + 1) })
  }
  if (images.urls === 'refuse' && hasImageUrl(request)) {
    const message = `${id} takes images only as data, not by their address.`
    return new ServiceError('unsupported_parameter', message, { param })
  }
  return undefined
}

const hasImageUrl = ({ messages }: CompletionRequest): boolean =>
  messages.some(
    ({ content }) =>
      typeof content !== 'string' && content.some((part) => part.type === 'image' && part.source.kind === 'url'),
  )

/** A field that no backend of the model is to be sent is as unknown as any other word. */
function refusalOfExtra({ extra }: CompletionRequest, { targets }: Model): ServiceError | undefined {
  const param = Object.keys(extra ?? {}).find((name) => !targets.some((target) => passedBy(target).includes(name)))
  if (param === undefined) return undefined
  return new ServiceError('unknown_parameter', `Unknown parameter: '${param.slice(0, 100)}'.`, {
    param: param.slice(0, 100),
  })
}
