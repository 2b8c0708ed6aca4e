import type { Command } from 'commander'
import { alignAmounts } from '../amounts.ts'
import { Action, Grant, listOf } from '../answers.ts'
import type { Desk } from '../desk.ts'
import { localTime } from '../local-time.ts'
import { expiresAt, type GivenWith, givenWith, kind, priority, reason, reference } from '../options.ts'
import { type Paging, readList, withPaging } from '../read-list.ts'
import { renderFields, renderTable } from '../table.ts'
import { amountAboveZero } from '../typed-amount.ts'
import { actionFields } from './actions.ts'

/** `weir grants create|list|revoke` */
export function addGrants(program: Command, desk: Desk): void {
  const grants = program.command('grants').description('credits given to an account')

  grants
    .command('create')
    .description('give credits')
    .argument('<account>')
    .argument('<credits>', 'an amount with at most six decimals', amountAboveZero)
    .addOption(kind().makeOptionMandatory())
    .addOption(priority())
    .addOption(expiresAt())
    .addOption(reference())
    .action(async (account: string, credits: string, options: GivenWith) => {
      const body = { credits, ...givenWith(options) }
      const { made, answer } = await desk.api().post(['accounts', desk.account(account), 'grants'], body)
      desk.show(answer, Grant, (grant, colour) => renderFields(fieldsOf(grant), colour))
      if (!made) desk.remark('This reference had its grant before: nothing was given now.')
    })

  withPaging(grants.command('list <account>').description('what was given')).action(
    async (account: string, paging: Paging) => {
      const answer = await readList(desk, ['accounts', desk.account(account), 'grants'], paging)
      desk.show(answer, listOf(Grant), ({ data }, colour) => renderTable(columns, rowsOf(data), colour))
    },
  )

  grants
    .command('revoke <account> <grant>')
    .description('end a grant now; what open completions may still need of it is taken when they have ended')
    .addOption(reason())
    .addOption(reference())
    .action(async (account: string, grant: string, said: { reason: string; reference?: string }) => {
      const path = ['accounts', desk.account(account), 'grants', desk.grant(grant), 'revoke']
      const { answer } = await desk.api().post(path, said)
      desk.show(answer, Action, (action, colour) => renderFields(actionFields(action), colour))
    })
}

const columns = [
  { title: 'id' },
  { title: 'kind' },
  { title: 'priority', align: 'right' },
  { title: 'credits', align: 'right' },
  { title: 'left', align: 'right' },
  { title: 'expires' },
  { title: 'revoked' },
  { title: 'reference' },
  { title: 'created' },
] as const

function rowsOf(grants: readonly Grant[]): string[][] {
  const given = alignAmounts(grants.map(({ credits }) => credits))
  const left = alignAmounts(grants.map(({ balance }) => balance))
  return grants.map((grant, index) => [
    grant.id,
    grant.kind,
    String(grant.priority),
    given[index] ?? '',
    left[index] ?? '',
    timeOrNone(grant.expires_at),
    timeOrNone(grant.revoked_at),
    grant.reference ?? '-',
    localTime(grant.created_at),
  ])
}

function fieldsOf(grant: Grant): [string, string][] {
  const [given = '', left = ''] = alignAmounts([grant.credits, grant.balance])
  return [
    ['id', grant.id],
    ['kind', grant.kind],
    ['priority', String(grant.priority)],
    ['credits', given],
    ['left', left],
    ['expires', timeOrNone(grant.expires_at)],
    ['reference', grant.reference ?? '-'],
    ['created', localTime(grant.created_at)],
  ]
}

const timeOrNone = (time: string | null): string => (time === null ? '-' : localTime(time))
