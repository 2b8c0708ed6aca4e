import {
  type Candidate,
  type Catalogue,
  type Choice,
  type CompletionRequest,
  type Condition,
  type Microcredits,
  type Model,
  type Price,
  type RequestDraft,
  type Rule,
  ServiceError,
  imagesIn,
  needsOf,
  quoteOf,
} from '@weir/contracts'
import { holds, lookAt } from './conditions.ts'
import { refusalOf, withDefaults } from './fit-to-model.ts'
import { type ParamOf, noneOfThemCan } from './refusals.ts'
import { inputTokenBound } from './tokens.ts'
import { weighted } from './weighted.ts'

export type PriceOf = (model: string) => Price
export type Chooser = { paramOf?: ParamOf; random?: () => number }

/**
 * The model that a request is for: the one it names, or the one that a rule picks, among those that can answer it. Throws a
 * 404 for a name that nothing has, and a 400 that says what is missing where no model of a rule can.
 */
export function chooseModel(
  catalogue: Pick<Catalogue, 'find' | 'ruleOf' | 'auto'>,
  draft: RequestDraft,
  priceOf: PriceOf,
  { paramOf = (what) => what, random = Math.random }: Chooser = {},
): Model {
  const { model: name } = draft
  const rule = name === undefined || name === 'auto' ? catalogue.auto : catalogue.ruleOf(name)
  if (rule) return chosenBy(rule, draft, priceOf, paramOf, random)
  const model = catalogue.find(name!)
  if (model) return model
  const message = `The model '${name!.slice(0, 200)}' does not exist. GET /v1/models lists those that do.`
  throw new ServiceError('model_not_found', message, { param: 'model' })
}

function chosenBy(rule: Rule, draft: RequestDraft, priceOf: PriceOf, paramOf: ParamOf, random: () => number): Model {
  const choice = choiceFor(rule, draft, priceOf)
  const only = choice.candidates.length === 1 && rule.maxPrice === undefined ? choice.candidates[0] : undefined
  // What it refuses is told when the request is fitted to it, and better than here.
  if (only) return only.model

  const refusals: ServiceError[] = []
  const able = choice.candidates.filter(({ model }) => {
    const refusal = refusalOf(withDefaults(draft, model), model, paramOf)
    if (refusal) refusals.push(refusal)
    return !refusal
  })
  if (able.length === 0) throw noneCan(rule, choice, draft, refusals, paramOf)
  const affordable = able.filter(({ model }) => isWithin(rule.maxPrice, quoteFor(model, draft, priceOf)))
  if (affordable.length === 0) throw tooDear(rule)
  return picked(choice.pick, affordable, draft, priceOf, random).model
}

/** The first case that holds: a ceiling on its price holds where one of its models keeps to it. */
function choiceFor(rule: Rule, draft: RequestDraft, priceOf: PriceOf): Choice {
  if (rule.cases.length === 0) return rule
  const looked = lookAt(draft)
  const keepsTo = ({ maxPrice }: Condition, { candidates }: Choice) =>
    maxPrice === undefined || candidates.some(({ model }) => quoteFor(model, draft, priceOf) <= maxPrice)
  return rule.cases.find((each) => holds(each.when, looked) && keepsTo(each.when, each)) ?? rule
}

function picked(
  pick: Choice['pick'],
  able: readonly Candidate[],
  draft: RequestDraft,
  priceOf: PriceOf,
  random: () => number,
): Candidate {
  if (pick === 'weighted') return weighted(able, random)[0]!
  if (pick === 'first') return able[0]!
  return able.reduce((best, each) => (isCheaper(each, best, draft, priceOf) ? each : best))
}

/** What a request is likely to cost: an ordinary answer, not the longest, which only says how much a model may write. */
const ORDINARY_ANSWER_TOKENS = 500

function isCheaper(one: Candidate, other: Candidate, draft: RequestDraft, priceOf: PriceOf): boolean {
  const inputTokens = lookAt(draft).promptTokens
  const answer = draft.maxOutputTokens ?? ORDINARY_ANSWER_TOKENS
  const bound = { inputTokens, maxOutputTokens: answer * (draft.choices ?? 1), images: imagesIn(draft) }
  return quoteOf(priceOf(one.model.id), bound) < quoteOf(priceOf(other.model.id), bound)
}

/** What would be reserved. */
function quoteFor(model: Model, draft: RequestDraft, priceOf: PriceOf): Microcredits {
  const request: CompletionRequest = withDefaults(draft, model)
  return quoteOf(priceOf(model.id), {
    inputTokens: inputTokenBound(request),
    maxOutputTokens: request.maxOutputTokens * (request.choices ?? 1),
    images: imagesIn(request),
  })
}

const isWithin = (most: Microcredits | undefined, quote: Microcredits): boolean => most === undefined || quote <= most

/** What no model of the choice can do says more than what stands in the way of each. */
function noneCan(
  { id }: Rule,
  { candidates }: Choice,
  draft: RequestDraft,
  refusals: readonly ServiceError[],
  paramOf: ParamOf,
): ServiceError {
  const isMissing = (need: ReturnType<typeof needsOf>[number]) =>
    candidates.every(({ model }) => model.capabilities && !model.capabilities.includes(need))
  const needs = needsOf(draft)
  const missing = needs.find(isMissing)
  if (missing) return noneOfThemCan(id, missing, paramOf)
  // One candidate can do this and another that, but none all of it; or each has a reason of its own.
  const [first] = refusals
  if (first?.code !== 'unsupported_parameter' || needs.length < 2) return first!
  const message = `None of the models that '${id}' stands for can do all of what is asked for: ${needs.join(', ')}.`
  return new ServiceError('unsupported_parameter', message, { param: first.param ?? paramOf('model') })
}

const tooDear = ({ id }: Rule): ServiceError =>
  new ServiceError(
    'invalid_request',
    `This request may cost more than '${id}' allows. Shorten it, or ask for fewer output tokens.`,
    { param: 'model' },
  )
