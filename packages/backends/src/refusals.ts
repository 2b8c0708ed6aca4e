import { type Capability, ServiceError, type Target } from '@weir/contracts'
import type { Dialect } from '@weir/dialects'

/** How the client has named what a model refuses. */
export type ParamOf = Dialect['paramOf']

/** The 400 for a capability that a model has not. */
export const cannot = (model: string, missing: Capability, paramOf: ParamOf): ServiceError =>
  unsupported(`${model} cannot`, missing, paramOf)

/** The same where a name stands for several models, and none of them has it. */
export const noneOfThemCan = (name: string, missing: Capability, paramOf: ParamOf): ServiceError =>
  unsupported(`none of the models that '${name}' stands for can`, missing, paramOf)

function unsupported(whoCannot: string, missing: Capability, paramOf: ParamOf): ServiceError {
  const param = paramOf(missing)
  const message = `'${param}' is not supported here: ${whoCannot} do what it asks for (${missing}).`
  return new ServiceError('unsupported_parameter', message, { param })
}

/** Fields of vendors that a target is sent as they are. */
export const passedBy = ({ config }: Target): readonly string[] =>
  (config && config.kind !== 'simulated' && config.pass_fields) || []
