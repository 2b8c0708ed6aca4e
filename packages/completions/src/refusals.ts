import { type Microcredits, ServiceError, creditsNumber, formatCredits } from '@weir/contracts'
import type { LimitPeriod } from '@weir/ledger'
import type { Reserved } from './quote.ts'

/** Why a request was not let in, with all that its client needs to know. */
export function refusalOf({ refusal, needed }: Extract<Reserved, { kind: 'refused' }>): Error {
  switch (refusal.kind) {
    case 'insufficient_credits':
      return insufficientCredits(needed, refusal)
    case 'key_limit_exceeded':
      return keyLimitExceeded(needed, refusal)
    case 'account_frozen':
      return new ServiceError(
        'account_frozen',
        'This account is frozen: it starts no new completions. Ask its operator.',
      )
    case 'conflict':
      return new Error('the id of a new completion was reserved before')
  }
}

function insufficientCredits(
  needed: Microcredits,
  verdict: { available: Microcredits; reserved: Microcredits },
): ServiceError {
  const { available, reserved } = verdict
  const waitingHelps = available + reserved >= needed
  const message =
    `Your credit balance is too low: this request can cost up to ${formatCredits(needed)} credits and ` +
    `${formatCredits(available)} are available (${formatCredits(reserved)} are reserved by running completions). ` +
    (waitingHelps
      ? 'Wait for those to end, add credits or lower the output cap.'
      : 'Add credits or lower the output cap.')
  return new ServiceError('credit_balance_exhausted', message, {
    extra: {
      balance: creditsNumber(available + reserved),
      available: creditsNumber(available),
      reserved: creditsNumber(reserved),
      needed: creditsNumber(needed),
      waiting_helps: waitingHelps,
    },
  })
}

const periods: Record<LimitPeriod, string> = { day: 'daily limit', month: 'monthly limit', total: 'limit' }

function keyLimitExceeded(
  needed: Microcredits,
  { period, available }: { period: LimitPeriod; available: Microcredits },
): ServiceError {
  const message =
    `The ${periods[period]} of this API key leaves ${formatCredits(available)} credits, and this request can cost up to ` +
    `${formatCredits(needed)}. Raise the limit, use another key or lower the output cap.`
  return new ServiceError('key_limit_exceeded', message, {
    extra: { period, available: creditsNumber(available), needed: creditsNumber(needed) },
  })
}
