import { type Command, InvalidArgumentError, Option } from 'commander'
import { alignAmounts } from '../amounts.ts'
import { listOf, Usage } from '../answers.ts'
import type { Desk } from '../desk.ts'
import { from, to } from '../options.ts'
import { type Paging, readList, withPaging } from '../read-list.ts'
import { type Column, renderTable } from '../table.ts'

type Bucket = 'hour' | 'day' | 'month'
type Group = 'model' | 'key'
type UsageOptions = Paging & {
  bucket: Bucket
  groupBy: Group[]
  from?: string
  to?: string
  model?: string
  key?: string
}

/** `weir usage` */
export function addUsage(program: Command, desk: Desk): void {
  withPaging(program.command('usage <account>'))
    .description('what an account used, oldest first; the last 30 days if nothing else is said')
    .addOption(new Option('--bucket <length>', 'a row for each').choices(['hour', 'day', 'month']).default('day'))
    .addOption(from())
    .addOption(to())
    .addOption(
      new Option('--group-by <fields>', 'a row for each: model, key, both (model,key) or none')
        .argParser(groups)
        .default(['model'], 'model'),
    )
    .option('--model <model>', 'of this model only')
    .option('--key <key>', 'of this key only')
    .action(async (account: string, { bucket, groupBy, from, to, model, key, ...paging }: UsageOptions) => {
      const answer = await readList(desk, ['accounts', desk.account(account), 'usage'], paging, {
        bucket,
        group_by: groupBy.join(','),
        ...(from !== undefined && { from }),
        ...(to !== undefined && { to }),
        ...(model !== undefined && { model }),
        ...(key !== undefined && { key_id: desk.key(key) }),
      })
      desk.show(answer, listOf(Usage), ({ data }, colour) =>
        renderTable(columnsOf(bucket, groupBy), rowsOf(data, bucket, groupBy), colour),
      )
    })
}

function groups(typed: string): Group[] {
  if (typed === 'none') return []
  const fields = [...new Set(typed.split(','))]
  if (!fields.every(isGroup)) throw new InvalidArgumentError("It must be model, key, both as model,key, or 'none'.")
  return fields
}

const isGroup = (field: string): field is Group => field === 'model' || field === 'key'

const columnsOf = (bucket: Bucket, groupBy: readonly Group[]): Column[] => [
  { title: `${bucket} (UTC)` },
  ...groupBy.map((title) => ({ title })),
  { title: 'requests', align: 'right' },
  { title: 'input', align: 'right' },
  { title: 'cached input', align: 'right' },
  { title: 'cache write', align: 'right' },
  { title: 'output', align: 'right' },
  { title: 'reasoning', align: 'right' },
  { title: 'images', align: 'right' },
  { title: 'credits', align: 'right' },
]

function rowsOf(usage: readonly Usage[], bucket: Bucket, groupBy: readonly Group[]): string[][] {
  const credits = alignAmounts(usage.map(({ credits }) => credits))
  return usage.map((row, index) => [
    nameOf(bucket, row.starts_at),
    ...groupBy.map((group) => (group === 'model' ? row.model : row.key_id) ?? '-'),
    String(row.requests),
    String(row.input_tokens),
    String(row.cached_input_tokens),
    String(row.cache_write_tokens),
    String(row.output_tokens),
    String(row.reasoning_tokens),
    String(row.images),
    credits[index] ?? '',
  ])
}

/** Buckets begin and end in UTC, so that is how they are named: 2026-03, 2026-03-01, 2026-03-01T14:00. */
const nameOf = (bucket: Bucket, startsAt: string): string =>
  new Date(startsAt).toISOString().slice(0, { month: 7, day: 10, hour: 16 }[bucket])
