import { ServiceError } from '@weir/contracts'
import { type Addresses, admissibleUrl } from '@weir/outbound'

const LONGEST = 2_048

/**
 * An address that events may be sent to, as it was written. Whether its name leads to a public server is seen each time
 * that something is sent. Throws a 400 that says what is wrong.
 */
export function webhookUrlOf(text: string, addresses: Addresses, param = 'webhook_url'): string {
  const refuse = (what: string) => new ServiceError('invalid_request', `'${param}' ${what}.`, { param })
  if (text.length > LONGEST) throw refuse(`must have at most ${LONGEST} characters`)
  // What a URL parser drops, and what Postgres does not hold.
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  if (/[\s\u0000-\u001f]/.test(text) || !text.isWellFormed()) throw refuse('is not a valid URL')
  const url = admissibleUrl(text, addresses)
  if (url instanceof URL) return text
  // Its owner may run the service, too; the documentation names the setting.
  const mayBeOpened = addresses === 'public' && ['scheme', 'port', 'address'].includes(url.reason)
  throw refuse(mayBeOpened ? `${url.sentence}; others are for whoever runs this service to allow` : url.sentence)
}
