import type { Command } from 'commander'
import { alignAmounts, alignMovements } from '../amounts.ts'
import { Entry, listOf } from '../answers.ts'
import type { Desk } from '../desk.ts'
import { localTime } from '../local-time.ts'
import { type Paging, readList, withPaging } from '../read-list.ts'
import { renderTable } from '../table.ts'

/** `weir entries` */
export function addEntries(program: Command, desk: Desk): void {
  withPaging(program.command('entries <account>'))
    .description("every movement of an account's credits, newest first")
    .option('--completion <completion>', 'only what this one was charged and given back')
    .action(async (account: string, { completion, ...paging }: Paging & { completion?: string }) => {
      const answer = await readList(desk, ['accounts', desk.account(account), 'entries'], paging, {
        ...(completion !== undefined && { completion_id: desk.completion(completion) }),
      })
      desk.show(answer, listOf(Entry), ({ data }, colour) => renderTable(columns, rowsOf(data), colour))
    })
}

const columns = [
  { title: 'sequence', align: 'right' },
  { title: 'time' },
  { title: 'kind' },
  { title: 'credits', align: 'right' },
  { title: 'left of grant', align: 'right' },
  { title: 'grant' },
  { title: 'completion' },
  { title: 'action' },
  { title: 'reason' },
] as const

function rowsOf(entries: readonly Entry[]): string[][] {
  const moved = alignMovements(entries.map(({ credits }) => credits))
  const left = alignAmounts(entries.map(({ balance_after }) => balance_after ?? 0))
  return entries.map((entry, index) => [
    String(entry.sequence),
    localTime(entry.created_at),
    entry.kind,
    moved[index] ?? '',
    entry.balance_after === null ? '-' : (left[index] ?? ''),
    entry.grant_id ?? '-',
    entry.completion_id ?? '-',
    entry.action_id ?? '-',
    entry.reason ?? '-',
  ])
}
