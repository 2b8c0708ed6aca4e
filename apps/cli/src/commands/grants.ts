import { formatCredits, parseCredits } from '@weir/contracts'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { alignAmounts } from '../amounts.ts'
import { Grant, listOf } from '../answers.ts'
import type { Desk } from '../desk.ts'
import { localTime } from '../local-time.ts'
import { type Paging, readList, withPaging } from '../read-list.ts'
import { renderFields, renderTable } from '../table.ts'

type CreateOptions = { kind: string; reference?: string }

/** `weir grants create|list` */
export function addGrants(program: Command, desk: Desk): void {
  const grants = program.command('grants').description('credits given to an account')

  grants
    .command('create')
    .description('give credits')
    .argument('<account>')
    .argument('<credits>', 'an amount with at most six decimals', amount)
    .addOption(kind)
    .option('--reference <text>', 'what it is for; the same reference is never granted twice')
    .action(async (account: string, credits: string, { kind, reference }: CreateOptions) => {
      const body = { credits, kind, ...(reference && { reference }) }
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
}

const kind = new Option('--kind <kind>', 'where the credits come from')
  .choices(['promotional', 'subscription', 'purchased'])
  .makeOptionMandatory()

/** Credits travel as text, so that no digit is lost on the way. */
function amount(typed: string): string {
  const credits = parseCredits(typed)
  if (!credits) throw new InvalidArgumentError('It must be an amount above zero with at most six decimals.')
  return formatCredits(credits)
}

const columns = [
  { title: 'id' },
  { title: 'kind' },
  { title: 'credits', align: 'right' },
  { title: 'left', align: 'right' },
  { title: 'reference' },
  { title: 'created' },
] as const

function rowsOf(grants: readonly Grant[]): string[][] {
  const given = alignAmounts(grants.map(({ credits }) => credits))
  const left = alignAmounts(grants.map(({ balance }) => balance))
  return grants.map(({ id, kind, reference, created_at }, index) => [
    id,
    kind,
    given[index] ?? '',
    left[index] ?? '',
    reference ?? '-',
    localTime(created_at),
  ])
}

function fieldsOf({ id, kind, credits, balance, reference, created_at }: Grant): [string, string][] {
  const [given = '', left = ''] = alignAmounts([credits, balance])
  return [
    ['id', id],
    ['kind', kind],
    ['credits', given],
    ['left', left],
    ['reference', reference ?? '-'],
    ['created', localTime(created_at)],
  ]
}
