import type { Command } from 'commander'
import { alignAmounts } from '../amounts.ts'
import { AccountWithCredits, type CreditsOfAccount } from '../answers.ts'
import type { Desk } from '../desk.ts'
import { renderFields } from '../table.ts'

/** `weir credits` */
export function addCredits(program: Command, desk: Desk): void {
  program
    .command('credits <account>')
    .description('what an account has, what is set aside, what it can still spend')
    .action(async (account: string) => {
      const answer = await desk.api().get(['accounts', desk.account(account)])
      desk.show(answer, AccountWithCredits, ({ credits }, colour) => renderFields(creditFields(credits), colour))
    })
}

export function creditFields({ balance, reserved, available }: CreditsOfAccount): [string, string][] {
  const [whole = '', aside = '', left = ''] = alignAmounts([balance, reserved, available])
  return [
    ['balance', whole],
    ['reserved', aside],
    ['available', left],
  ]
}
