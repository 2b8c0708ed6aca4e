import { type Command, Option } from 'commander'
import { alignAmounts } from '../amounts.ts'
import { KeyLimits } from '../answers.ts'
import type { Desk } from '../desk.ts'
import { usageFailure } from '../failure.ts'
import { renderTable } from '../table.ts'
import { amountOrNone } from '../typed-amount.ts'

type Limits = { day?: string; month?: string; total?: string }

/** `weir keys limits`, `weir keys limit set` */
export function addKeyLimits(keys: Command, desk: Desk): void {
  const pathOf = (account: string, key: string) => ['accounts', desk.account(account), 'keys', desk.key(key), 'limits']
  const show = (answer: unknown) =>
    desk.show(answer, KeyLimits, ({ limits }, colour) => renderTable(columns, rowsOf(limits), colour))

  keys
    .command('limits <account> <key>')
    .description('what a key may spend, and what it has spent')
    .action(async (account: string, key: string) => show(await desk.api().get(pathOf(account, key))))

  keys
    .command('limit')
    .description('bound what a key may spend')
    .command('set <account> <key>')
    .description('change limits; those not named stay')
    .addOption(limitOption('day', 'a day (in UTC)'))
    .addOption(limitOption('month', 'a calendar month (in UTC)'))
    .addOption(limitOption('total', 'all its time'))
    .action(async (account: string, key: string, limits: Limits) => {
      if (Object.keys(limits).length === 0) throw usageFailure('Name a limit: --day, --month or --total.')
      show(await desk.api().put(pathOf(account, key), onTheWire(limits)))
    })
}

/** What was not said is left as it is; null takes a limit away. */
const onTheWire = (limits: Limits) =>
  Object.fromEntries(Object.entries(limits).map(([period, most]) => [period, most === 'none' ? null : most]))

const limitOption = (period: string, inWords: string): Option =>
  new Option(`--${period} <credits>`, `the most in ${inWords}, or none`).argParser(amountOrNone)

const columns = [
  { title: 'period' },
  { title: 'limit', align: 'right' },
  { title: 'spent', align: 'right' },
  { title: 'reserved', align: 'right' },
] as const

function rowsOf(limits: KeyLimits['limits']): string[][] {
  const column = (name: 'credits' | 'spent' | 'reserved') => alignAmounts(limits.map((limit) => limit[name]))
  const [most, spent, reserved] = [column('credits'), column('spent'), column('reserved')]
  return limits.map(({ period }, index) => [period, most[index] ?? '', spent[index] ?? '', reserved[index] ?? ''])
}
