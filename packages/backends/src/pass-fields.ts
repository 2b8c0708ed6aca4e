import { type CompletionRequest, type OpenAiConfig, ServiceError } from '@weir/contracts'

type Passing = Pick<OpenAiConfig, 'pass_fields'>

/** The vendor fields of a request that a backend is not to be sent. */
export function fieldsNotPassed(
  { extra = {} }: Pick<CompletionRequest, 'extra'>,
  { pass_fields = [] }: Passing,
): string[] {
  return Object.keys(extra).filter((name) => !pass_fields.includes(name))
}

/** Refuses a request whose vendor fields this backend is not to be sent: to leave them out would be to answer another one. */
export function assertPassed(request: CompletionRequest, config: Passing): void {
  const [param] = fieldsNotPassed(request, config)
  if (param === undefined) return
  throw new ServiceError('unsupported_parameter', `'${param}' is not supported by this model.`, { param })
}
