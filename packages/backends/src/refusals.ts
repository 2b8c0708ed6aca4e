import { type Capability, ServiceError, type Target } from '@weir/contracts'
import type { Dialect } from '@weir/dialects'

/** How the client has named what a model refuses. */
export type ParamOf = Dialect['paramOf']

/** The 400 for a capability that is missing. */
export function cannot(who: string, missing: Capability, paramOf: ParamOf): ServiceError {
  const param = paramOf(missing)
  const message = `'${param}' is not supported here: ${who} cannot do what it asks for (${missing}).`
  return new ServiceError('unsupported_parameter', message, { param })
}

/** Fields of vendors that a target is sent as they are. */
export const passedBy = ({ config }: Target): readonly string[] =>
  (config && config.kind !== 'simulated' && config.pass_fields) || []
