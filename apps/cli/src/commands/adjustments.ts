import type { Command } from 'commander'
import { Action } from '../answers.ts'
import type { Desk } from '../desk.ts'
import { expiresAt, type GivenWith, givenWith, kind, priority, reason, reference } from '../options.ts'
import { renderFields } from '../table.ts'
import { movement } from '../typed-amount.ts'
import { actionFields } from './actions.ts'

type CreateOptions = GivenWith & { reason: string }

/** `weir adjustments create` */
export function addAdjustments(program: Command, desk: Desk): void {
  const adjustments = program.command('adjustments').description('corrections of what an account has')

  adjustments
    .command('create')
    .description('give credits, or with an amount below zero take them; all of it or nothing')
    .argument('<account>')
    .argument('<credits>', 'an amount such as 5 or -2.50', movement)
    .addOption(reason())
    .addOption(reference())
    .addOption(kind())
    .addOption(priority())
    .addOption(expiresAt())
    .action(async (account: string, credits: string, { reason, ...given }: CreateOptions) => {
      const body = { credits, reason, ...givenWith(given) }
      const { made, answer } = await desk.api().post(['accounts', desk.account(account), 'adjustments'], body)
      desk.show(answer, Action, (action, colour) => renderFields(actionFields(action), colour))
      if (!made) desk.remark('This reference had its adjustment before: nothing was moved now.')
    })
}
