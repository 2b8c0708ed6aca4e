import { type ServiceError, errors } from '@weir/contracts'

/** The OpenAI error envelope: all four keys are always there, `message` is always a string. */
export function renderError(error: ServiceError) {
  const { code, message, param = null, extra } = error
  return { error: { message, type: errors[code].type, param, code, ...extra } }
}

/** An error after the first byte: one nested event, which every client turns into an exception. */
export const renderErrorEvent = (error: ServiceError): string => `data: ${JSON.stringify(renderError(error))}\n\n`
