import { ServiceError, formatCredits } from '@weir/contracts'
import type { AmendVerdict, Amendment, Change, Ledger, Action, LedgerHistory } from '@weir/ledger'

export type AmendDeps = {
  ledger: Pick<Ledger, 'amend'>
  history: Pick<LedgerHistory, 'actionOf' | 'actionUnder'>
}

/** What an operator asks for. There is one admin key, and so one name under which it is noted. */
export type Asked = Change & Pick<Amendment, 'accountId' | 'reason' | 'reference'>
const ACTOR = 'admin'

type Refused = Exclude<AmendVerdict, { kind: 'done' | 'repeated' }>

/** Does it, or throws why it cannot be done; `repeated` when it had been done before under the same reference. */
export async function amended(deps: AmendDeps, asked: Asked): Promise<{ action: Action; repeated: boolean }> {
  const [verdict] = (await deps.ledger.amend([{ ...asked, actor: ACTOR }])) as [AmendVerdict]
  if (!('actionId' in verdict)) throw await refusalOf(deps, asked, verdict)
  const action = (await deps.history.actionOf(verdict.actionId))!
  return { action, repeated: verdict.kind === 'repeated' }
}

async function refusalOf({ history }: AmendDeps, asked: Asked, verdict: Refused): Promise<ServiceError> {
  switch (verdict.kind) {
    case 'insufficient_credits':
      return refused('credits', `Only ${formatCredits(verdict.available)} credits can be taken: the rest is reserved.`)
    case 'exceeds_charge': {
      const left = `${formatCredits(verdict.available)} credits of what it was charged are left to give back.`
      return refused(verdict.available === 0n ? 'completion_id' : 'credits', left)
    }
    case 'not_found':
      return unknown(asked)
    case 'ended':
      return asked.op === 'revoke'
        ? refused('grantId', 'This grant has ended already.')
        : refused('expires_at', 'It must lie in the future.')
    case 'too_many_grants':
      return refused(
        'id',
        'The account has as many grants that hold credits as it may: revoke some, or let them be spent.',
      )
    case 'conflict': {
      const before =
        asked.reference === undefined ? undefined : await history.actionUnder(asked.accountId, asked.reference)
      const what = before ? `: ${before.kind} of ${formatCredits(before.moved)} credits` : ' for something else'
      return refused('reference', `The reference '${asked.reference}' was used before${what}.`)
    }
    case 'not_ended':
      return refused('grantId', 'This grant has not ended yet.')
    case 'waiting':
      return refused('grantId', 'Completions that may still be paid from this grant are running.')
  }
}

const refused = (param: string, message: string) => new ServiceError('invalid_request', message, { param })

function unknown(asked: Asked): ServiceError {
  if (asked.op === 'revoke')
    return new ServiceError('not_found', `The account has no grant ${asked.grantId}.`, { param: 'grantId' })
  if (asked.op === 'refund') {
    const message = `The account has no completion ${asked.completionId} in its books.`
    return new ServiceError('not_found', message, { param: 'completion_id' })
  }
  return new ServiceError('not_found', `There is no account ${asked.accountId}.`, { param: 'id' })
}
