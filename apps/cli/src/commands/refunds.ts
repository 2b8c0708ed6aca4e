import { type Command, Option } from 'commander'
import { Action } from '../answers.ts'
import type { Desk } from '../desk.ts'
import { reason, reference } from '../options.ts'
import { renderFields } from '../table.ts'
import { amountAboveZero } from '../typed-amount.ts'
import { actionFields } from './actions.ts'

type CreateOptions = { credits?: string; reason: string; reference?: string }

/** `weir refunds create` */
export function addRefunds(program: Command, desk: Desk): void {
  const refunds = program.command('refunds').description('charges given back')

  refunds
    .command('create <account> <completion>')
    .description('give back what a completion was charged, to the grants it came from')
    .addOption(new Option('--credits <amount>', 'so much of it; else all that is left').argParser(amountAboveZero))
    .addOption(reason())
    .addOption(reference())
    .action(async (account: string, completion: string, said: CreateOptions) => {
      const body = { completion_id: desk.completion(completion), ...said }
      const { made, answer } = await desk.api().post(['accounts', desk.account(account), 'refunds'], body)
      desk.show(answer, Action, (action, colour) => renderFields(actionFields(action), colour))
      if (!made) desk.remark('This reference had its refund before: nothing was given back now.')
    })
}
