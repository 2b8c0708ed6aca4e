import type { Command } from 'commander'
import { z } from 'zod'
import { LedgerCheck } from '../answers.ts'
import type { Desk } from '../desk.ts'
import { serverFailure } from '../failure.ts'
import { localTime } from '../local-time.ts'
import { renderFields, renderTable } from '../table.ts'

/** `weir ledger check` */
export function addLedger(program: Command, desk: Desk): void {
  const ledger = program.command('ledger').description('the books as a whole')

  ledger
    .command('check')
    .description('prove from the rows alone that the books are whole; exits with 1 when they are not')
    .option('--account <account>', 'the books of this account only')
    .action(async ({ account }: { account?: string }) => {
      const query: Record<string, string> = account === undefined ? {} : { account_id: desk.account(account) }
      const answer = await desk.api().getPatiently(['ledger', 'check'], query)
      desk.show(answer, LedgerCheck, render)
      // Read apart from what is shown, so that `--json` ends in the same code.
      if (!Whole.safeParse(answer).success) throw serverFailure('The books are not whole.')
    })
}

const Whole = z.object({ ok: z.literal(true) })

function render(check: LedgerCheck, colour: boolean): string {
  const summary = renderFields(
    [
      ['whole', check.ok ? 'yes' : 'NO'],
      ['accounts', String(check.accounts)],
      ['entries', String(check.entries)],
      ['reservations', String(check.reservations)],
      ['checked', localTime(check.checked_at)],
    ],
    colour,
  )
  if (check.findings.length === 0) return summary
  const rows = check.findings.map(({ invariant, account_id, subject, message }) => [
    invariant,
    account_id ?? '-',
    subject ?? '-',
    message,
  ])
  const more = check.more_findings > 0 ? `\nAnd ${check.more_findings} more.` : ''
  return `${summary}\n\n${renderTable(columns, rows, colour)}${more}`
}

const columns = [{ title: 'invariant' }, { title: 'account' }, { title: 'subject' }, { title: 'message' }]
