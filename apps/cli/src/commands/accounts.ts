import { type Command, InvalidArgumentError, Option } from 'commander'
import { Account, AccountInFull, AccountWithCredits, listOf } from '../answers.ts'
import type { Desk } from '../desk.ts'
import { localTime } from '../local-time.ts'
import { reason } from '../options.ts'
import { type Paging, readList, withPaging } from '../read-list.ts'
import { renderFields, renderTable } from '../table.ts'
import { creditFields } from './credits.ts'

/** `weir accounts create|list|show|update|freeze|unfreeze` */
export function addAccounts(program: Command, desk: Desk): void {
  const accounts = program.command('accounts').description('who pays')

  accounts
    .command('create')
    .description('open an account; it has no credits and no keys yet')
    .argument('<name>', 'how to call it', someName)
    .action(async (name: string) => {
      const { answer } = await desk.api().post(['accounts'], { name })
      desk.show(answer, Account, (account, colour) => renderFields(fieldsOf(account), colour))
    })

  withPaging(accounts.command('list').description('the accounts')).action(async (paging: Paging) => {
    const answer = await readList(desk, ['accounts'], paging)
    desk.show(answer, listOf(Account), ({ data }, colour) =>
      renderTable(
        [{ title: 'id' }, { title: 'name' }, { title: 'created' }],
        data.map((account) => [account.id, account.name, localTime(account.created_at)]),
        colour,
      ),
    )
  })

  accounts
    .command('show <account>')
    .description('one account and its credits')
    .action(async (account: string) => {
      const answer = await desk.api().get(['accounts', desk.account(account)])
      desk.show(answer, AccountWithCredits, (found, colour) =>
        renderFields([...fieldsInFull(found), ...creditFields(found.credits)], colour),
      )
    })

  accounts
    .command('update <account>')
    .description('change what is decided for an account')
    .addOption(shortage)
    .action(async (account: string, { shortage }: { shortage: string }) => {
      const answer = await desk.api().patch(['accounts', desk.account(account)], { shortage })
      desk.show(answer, AccountInFull, (changed, colour) => renderFields(fieldsInFull(changed), colour))
    })

  addFreezing('freeze', 'refuse its new completions; those under way go on and are charged')
  addFreezing('unfreeze', 'take its completions again')

  function addFreezing(name: 'freeze' | 'unfreeze', description: string) {
    accounts
      .command(`${name} <account>`)
      .description(description)
      .addOption(reason())
      .action(async (account: string, { reason }: { reason: string }) => {
        const { answer } = await desk.api().post(['accounts', desk.account(account), name], { reason })
        desk.show(answer, AccountInFull, (changed, colour) => renderFields(fieldsInFull(changed), colour))
      })
  }
}

function someName(typed: string): string {
  if (typed.trim() === '') throw new InvalidArgumentError('It must not be empty.')
  return typed
}

const shortage = new Option('--shortage <answer>', 'when credits are short: refuse a completion, or clamp its output')
  .choices(['refuse', 'clamp'])
  .makeOptionMandatory()

const fieldsInFull = (account: AccountInFull): [string, string][] => [
  ...fieldsOf(account),
  ['frozen', account.frozen ? 'yes' : 'no'],
  ['shortage', account.shortage],
]

const fieldsOf = ({ id, name, created_at }: Account): [string, string][] => [
  ['id', id],
  ['name', name],
  ['created', localTime(created_at)],
]
