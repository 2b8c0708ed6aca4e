import { type Command, Option } from 'commander'
import { alignAmounts } from '../amounts.ts'
import { Batch, listOf } from '../answers.ts'
import type { Desk } from '../desk.ts'
import { localSeconds } from '../local-time.ts'
import { type Paging, readList, withPaging } from '../read-list.ts'
import { renderFields, renderTable } from '../table.ts'

const openStates = ['open', 'paused', 'validating', 'in_progress', 'cancelling', 'finalizing']
const states = [...openStates, 'completed', 'failed', 'expired', 'cancelled']

/** `weir batches list|show|cancel` */
export function addBatches(program: Command, desk: Desk): void {
  const batches = program.command('batches').description('the batches of all accounts')
  const show = (answer: unknown) => desk.show(answer, Batch, (batch, colour) => renderFields(fieldsOf(batch), colour))

  withPaging(batches.command('list').description('what was handed over, newest first'))
    .option('--account <account>', 'only of this one')
    .addOption(new Option('--state <state>', 'open: not ended; paused: of those the ones that wait').choices(states))
    .action(async ({ account, state, ...paging }: Paging & { account?: string; state?: string }) => {
      const answer = await readList(desk, ['batches'], paging, {
        ...(account !== undefined && { account_id: desk.account(account) }),
        ...(state !== undefined && { state }),
      })
      desk.show(answer, listOf(Batch), ({ data }, colour) => renderTable(columns, rowsOf(data), colour))
    })

  batches
    .command('show <batch>')
    .description('how one stands, and what it waits for')
    .action(async (batch: string) => show(await desk.api().get(['batches', desk.batch(batch)])))

  batches
    .command('cancel <batch>')
    .description('run no more of it; what has ended stays and is charged')
    .action(async (batch: string) => {
      const { answer } = await desk.api().post(['batches', desk.batch(batch), 'cancel'], undefined)
      show(answer)
    })
}

const columns = [
  { title: 'id' },
  { title: 'account' },
  { title: 'state' },
  { title: 'paused for' },
  { title: 'lines', align: 'right' },
  { title: 'pending', align: 'right' },
  { title: 'running', align: 'right' },
  { title: 'completed', align: 'right' },
  { title: 'failed', align: 'right' },
  { title: 'credits', align: 'right' },
  { title: 'created' },
] as const

function rowsOf(batches: readonly Batch[]): string[][] {
  const credits = alignAmounts(batches.map(({ credits_consumed }) => credits_consumed))
  return batches.map(({ id, account_id, status, paused, lines, created_at }, index) => [
    id,
    account_id,
    status,
    paused?.reason ?? '-',
    ...[lines.total, lines.pending, lines.running, lines.completed, lines.failed].map(String),
    credits[index] ?? '',
    localSeconds(created_at),
  ])
}

const fieldsOf = (batch: Batch): [string, string][] => [
  ['id', batch.id],
  ['account', batch.account_id],
  ['key', batch.key_id],
  ['endpoint', batch.endpoint],
  ['state', batch.status],
  ['paused', batch.paused ? `for ${batch.paused.reason}, since ${localSeconds(batch.paused.since)}` : '-'],
  ...Object.entries(batch.lines).map(([state, lines]): [string, string] => [
    state === 'total' ? 'lines' : `  ${state}`,
    String(lines),
  ]),
  ['charged', String(batch.credits_consumed)],
  ['reserved', String(batch.credits_reserved)],
  ['created', localSeconds(batch.created_at)],
  ['expires', localSeconds(batch.expires_at)],
  ...(batch.errors?.data ?? []).map(({ line, message }): [string, string] => [
    'error',
    line === undefined ? message : `line ${line}: ${message}`,
  ]),
]
