import type { BackendConfig } from './backend-config.ts'
import type { Capability } from './capabilities.ts'
import type { CompletionRequest, Message } from './completion-request.ts'
import type { Microcredits } from './credits.ts'
import type { Price } from './price.ts'

/** What a condition may ask of a request; `json` is JSON of either kind. */
export type Need = Capability | 'json'

/** Which requests something is for: all of what is said must hold. Sizes of prompts are our own estimate. */
export type Condition = {
  needs?: Need[]
  minPromptTokens?: number
  maxPromptTokens?: number
  /** The request's quote is no more than this. */
  maxPrice?: Microcredits
}

/** A model as one backend names it. What is absent is as the model says. */
export type Target = {
  backend: string
  model: string
  /** Lower ones are asked first; 0 when absent. */
  priority?: number
  /** Those of one priority are asked by chance, in proportion, where one of them has a weight; in their order where none has. */
  weight?: number
  capabilities?: readonly Capability[]
  contextWindow?: number
  when?: Condition
  /** Targets of one group share a vendor's limits; its backend's group when absent. */
  quotaGroup?: string
  /** Its backend, as the catalogue describes it. */
  config?: BackendConfig
}

/** What of a request a model has a say in, beside its output cap. */
export type Tuned = Pick<
  CompletionRequest,
  'temperature' | 'topP' | 'topK' | 'frequencyPenalty' | 'presencePenalty' | 'verbosity' | 'reasoning'
>

export type Range = { min?: number; max?: number }
export type Bounds = {
  [
    Field in 'temperature' | 'topP' | 'topK' | 'frequencyPenalty' | 'presencePenalty' | 'maxOutputTokens' | 'choices'
  ]?: Range
}

export type Role = Message['role']

/** A model as the API and the worker know it. */
export type Model = {
  id: string
  aliases: string[]
  description?: string
  targets: Target[]
  price: Price
  maxOutputTokens: number
  contextWindow: number
  /** What it can do; everything when absent. */
  capabilities?: readonly Capability[]
  /** What a request has that does not say otherwise. */
  defaults?: Tuned & { maxOutputTokens?: number }
  bounds?: Bounds
  /** Whose messages it takes; everybody's when absent. */
  roles?: readonly Role[]
  images?: { max?: number; urls?: 'pass' | 'refuse' }
  /** Set where one target was asked for by its name: no other may serve. */
  only?: string
}

/** A model that a rule may choose. */
export type Candidate = { model: Model; weight: number }

export type Choice = {
  /** `first` in the order of the list, `cheapest` for the request at hand, or `weighted` by chance. */
  pick: 'first' | 'cheapest' | 'weighted'
  candidates: readonly Candidate[]
}

/** A name that stands for a choice among models: the first case that holds, else its own. */
export type Rule = Choice & {
  id: string
  aliases: string[]
  description?: string
  cases: readonly (Choice & { when: Condition })[]
  /** No model is chosen that would quote the request higher. */
  maxPrice?: Microcredits
}

export type Catalogue = {
  backends: ReadonlyMap<string, BackendConfig>
  models: readonly Model[]
  rules: readonly Rule[]
  /** A model by its id, an alias, or the name of a target as `backend/model`. */
  find(name: string): Model | undefined
  /** A rule by its id or an alias. */
  ruleOf(name: string): Rule | undefined
  /** What a request without a model, or with `auto`, gets. */
  auto: Rule
}
