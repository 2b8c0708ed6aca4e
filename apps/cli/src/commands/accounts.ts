import type { Command } from 'commander'
import { Account, AccountWithCredits, listOf } from '../answers.ts'
import type { Desk } from '../desk.ts'
import { localTime } from '../local-time.ts'
import { type Paging, readList, withPaging } from '../read-list.ts'
import { renderFields, renderTable } from '../table.ts'
import { creditFields } from './credits.ts'

/** `weir accounts create|list|show` */
export function addAccounts(program: Command, desk: Desk): void {
  const accounts = program.command('accounts').description('who pays')

  accounts
    .command('create <name>')
    .description('open an account; it has no credits and no keys yet')
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
        renderFields([...fieldsOf(found), ...creditFields(found.credits)], colour),
      )
    })
}

const fieldsOf = ({ id, name, created_at }: Account): [string, string][] => [
  ['id', id],
  ['name', name],
  ['created', localTime(created_at)],
]
