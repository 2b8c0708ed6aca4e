import { type CompletionRequest, type Model, type RequestDraft, ServiceError } from '@weir/contracts'

/** What a model may refuse of a request, and how the client has named it. */
export type ParamOf = (what: 'maxOutputTokens') => string

/** The request for the model that was chosen: with its cap and its defaults. Throws a 400 for what it does not allow. */
export function fitToModel(draft: RequestDraft, model: Model, paramOf: ParamOf): CompletionRequest {
  const maxOutputTokens = draft.maxOutputTokens ?? model.maxOutputTokens
  if (maxOutputTokens > model.maxOutputTokens) {
    const param = paramOf('maxOutputTokens')
    throw new ServiceError(
      'invalid_request',
      `'${param}' is too large: ${maxOutputTokens}. ${model.id} gives at most ${model.maxOutputTokens} tokens.`,
      { param },
    )
  }
  return { ...draft, model: model.id, maxOutputTokens }
}
