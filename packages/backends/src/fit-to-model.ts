import type { CompletionRequest, Model, RequestDraft, ServiceError } from '@weir/contracts'
import { refusalByModel } from './fit-model.ts'
import { notCarriedBy, refusalByCondition, refusalByTarget } from './fit-target.ts'
import type { ParamOf } from './refusals.ts'

/** The request for the model that was chosen: with its cap and its defaults. Throws a 400 for what it does not allow. */
export function fitToModel(draft: RequestDraft, model: Model, paramOf: ParamOf): CompletionRequest {
  const request = withDefaults(draft, model)
  const refusal = refusalOf(request, model, paramOf)
  if (refusal) throw refusal
  return request
}

/** What the client left out is as the model has it: the longest answer that it may ask for, where nothing else is said. */
export function withDefaults(draft: RequestDraft, model: Model): CompletionRequest {
  const longest = Math.min(model.maxOutputTokens, model.bounds?.maxOutputTokens?.max ?? Infinity)
  const { maxOutputTokens = longest, ...tuned } = model.defaults ?? {}
  const missing = Object.entries(tuned).filter(([field]) => draft[field as keyof typeof tuned] === undefined)
  return {
    ...draft,
    ...Object.fromEntries(missing),
    model: model.id,
    maxOutputTokens: draft.maxOutputTokens ?? maxOutputTokens,
  }
}

/** Why a model cannot answer a request; undefined when it can, which takes one target that can. */
export function refusalOf(request: CompletionRequest, model: Model, paramOf: ParamOf): ServiceError | undefined {
  const byModel = refusalByModel(request, model, paramOf)
  if (byModel) return byModel
  let first: ServiceError | undefined
  for (const target of model.targets) {
    const refusal =
      refusalByTarget(request, target, model, paramOf) ??
      refusalByCondition(request, target, model, paramOf) ??
      notCarriedBy(request, target)
    if (!refusal) return undefined
    first ??= refusal
  }
  return first
}
