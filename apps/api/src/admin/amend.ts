import { type Microcredits, ServiceError, formatCredits } from '@weir/contracts'
import type { AmendVerdict, Amendment, Change, Ledger, Action, LedgerHistory } from '@weir/ledger'

export type AmendDeps = {
  ledger: Pick<Ledger, 'amend' | 'balanceOf' | 'reservationOf'>
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

async function refusalOf(deps: AmendDeps, asked: Asked, verdict: Refused): Promise<ServiceError> {
  switch (verdict.kind) {
    case 'insufficient_credits':
      return refused('credits', await whatCanBeTaken(deps, asked, verdict.available))
    case 'exceeds_charge': {
      const left = await whatCanBeGivenBack(deps, asked, verdict.available)
      return refused(verdict.available === 0n ? 'completion_id' : 'credits', left)
    }
    case 'not_found':
      return unknown(asked)
    case 'ended':
      return asked.op === 'revoke'
        ? refused('grant_id', 'This grant has ended already.')
        : refused('expires_at', "'expires_at' must lie in the future.")
    case 'too_many_grants': {
      const most = `The account has ${verdict.most} grants that hold credits, and may have no more (WEIR_MAX_OPEN_GRANTS).`
      return refused('id', `${most} Revoke some, or let them be spent.`)
    }
    case 'conflict':
      return refused(
        'reference',
        `The reference '${asked.reference}' was used before${await whatWasDone(deps, asked)}.`,
      )
    case 'not_ended':
      return refused('grant_id', 'This grant has not ended yet.')
    case 'waiting':
      return refused('grant_id', 'Completions that may still be paid from this grant are running.')
  }
}

async function whatCanBeTaken({ ledger }: AmendDeps, { accountId }: Asked, available: Microcredits): Promise<string> {
  const { reserved } = await ledger.balanceOf(accountId)
  const most = available === 0n ? 'No credits can be taken' : `Only ${formatCredits(available)} credits can be taken`
  return reserved === 0n ? `${most}: the account has no more.` : `${most}: ${formatCredits(reserved)} are reserved.`
}

async function whatCanBeGivenBack({ ledger }: AmendDeps, asked: Asked, left: Microcredits): Promise<string> {
  if (left > 0n) return `${formatCredits(left)} credits of what it was charged are left to give back.`
  const reservation = asked.op === 'refund' ? await ledger.reservationOf(asked.completionId) : undefined
  return reservation?.charged === 0n ? 'It was charged nothing.' : 'All that it was charged has been given back.'
}

async function whatWasDone({ history }: AmendDeps, { accountId, reference = '' }: Asked): Promise<string> {
  const before = await history.actionUnder(accountId, reference)
  if (!before) return ' for something else'
  const why = before.reason === null ? '' : `, for the reason '${before.reason}'`
  return `: ${before.kind} of ${formatCredits(before.moved)} credits${why}`
}

const refused = (param: string, message: string) => new ServiceError('invalid_request', message, { param })

function unknown(asked: Asked): ServiceError {
  if (asked.op === 'revoke')
    return new ServiceError('not_found', `The account has no grant ${asked.grantId}.`, { param: 'grant_id' })
  if (asked.op === 'refund') {
    const message = `The account has no completion ${asked.completionId} in its books.`
    return new ServiceError('not_found', message, { param: 'completion_id' })
  }
  return new ServiceError('not_found', `There is no account ${asked.accountId}.`, { param: 'id' })
}
