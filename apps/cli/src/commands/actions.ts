import type { Command } from 'commander'
import { alignMovements } from '../amounts.ts'
import { Action, listOf } from '../answers.ts'
import type { Desk } from '../desk.ts'
import { localTime } from '../local-time.ts'
import { type Paging, readList, withPaging } from '../read-list.ts'
import { renderTable } from '../table.ts'

/** `weir actions list` */
export function addActions(program: Command, desk: Desk): void {
  const actions = program.command('actions').description('what operators and time did to an account')

  withPaging(actions.command('list <account>').description('who did what and why, newest first')).action(
    async (account: string, paging: Paging) => {
      const answer = await readList(desk, ['accounts', desk.account(account), 'actions'], paging)
      desk.show(answer, listOf(Action), ({ data }, colour) => renderTable(columns, rowsOf(data), colour))
    },
  )
}

/** One action, as the commands that make one show it. */
export function actionFields(action: Action): [string, string][] {
  const [moved = ''] = alignMovements([action.credits])
  return [
    ['id', action.id],
    ['kind', action.kind],
    ['credits', moved],
    ['grant', action.grant_id ?? '-'],
    ['completion', action.completion_id ?? '-'],
    ['reason', action.reason ?? '-'],
    ['reference', action.reference ?? '-'],
    ['by', action.actor],
    ['created', localTime(action.created_at)],
  ]
}

const columns = [
  { title: 'id' },
  { title: 'time' },
  { title: 'kind' },
  { title: 'credits', align: 'right' },
  { title: 'by' },
  { title: 'grant' },
  { title: 'completion' },
  { title: 'reference' },
  { title: 'reason' },
] as const

function rowsOf(actions: readonly Action[]): string[][] {
  const moved = alignMovements(actions.map(({ credits }) => credits))
  return actions.map((action, index) => [
    action.id,
    localTime(action.created_at),
    action.kind,
    moved[index] ?? '',
    action.actor,
    action.grant_id ?? '-',
    action.completion_id ?? '-',
    action.reference ?? '-',
    action.reason ?? '-',
  ])
}
