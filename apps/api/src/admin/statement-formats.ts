import { type AccountId, type Microcredits, creditsNumber, formatCredits } from '@weir/contracts'
import type { Entry } from '@weir/ledger'
import { stringify } from 'csv-stringify/sync'
import { renderEntry } from '../render-ledger.ts'

/** A line of a statement; the balance is that of the account, after it. */
export type Line =
  | { kind: 'opening_balance'; accountId: AccountId; at: Date; balance: Microcredits }
  | { kind: 'entry'; entry: Entry; balance: Microcredits }
  | { kind: 'closing_balance'; accountId: AccountId; at: Date; balance: Microcredits; entries: number }

export type StatementFormat = { contentType: string; extension: string; textOf: (lines: Line[]) => string }

const jsonLineOf = (line: Line): object => {
  const balance = creditsNumber(line.balance)
  if (line.kind === 'entry') return { ...renderEntry(line.entry), balance }
  const { kind, accountId, at } = line
  const head = { object: kind, account_id: accountId, at: at.toISOString(), balance }
  return kind === 'closing_balance' ? { ...head, entries: line.entries } : head
}

const columns = [
  'sequence',
  'created_at',
  'kind',
  'credits',
  'balance',
  'grant_id',
  'completion_id',
  'action_id',
  'balance_after',
  'reason',
] as const

type Row = Record<(typeof columns)[number], string | number | bigint | Date | null>

const none = {
  sequence: null,
  credits: null,
  grant_id: null,
  completion_id: null,
  action_id: null,
  balance_after: null,
  reason: null,
}

function rowOf(line: Line): Row {
  const { kind, balance } = line
  if (line.kind !== 'entry') return { ...none, created_at: line.at, kind, balance }
  const { entry } = line
  return {
    sequence: entry.sequence,
    created_at: entry.createdAt,
    kind: entry.kind,
    credits: entry.amount,
    balance,
    grant_id: entry.grantId,
    completion_id: entry.completionId,
    action_id: entry.actionId,
    balance_after: entry.balanceAfter,
    reason: entry.reason?.replaceAll(formulaAfterBreak, "$1'") ?? null,
  }
}

/** A reader that takes a line break for the end of a row would run what follows. */
const formulaAfterBreak = /([\r\n]+)(?=[=+\-@\t＝＋－＠])/g

const csvOptions = {
  columns: [...columns],
  cast: { bigint: formatCredits, date: (time: Date) => time.toISOString() },
  // A spreadsheet would run a reason that begins like a formula. Amounts are no text, and stay as they are.
  escape_formulas: true,
  // RFC 4180: rows end with both, and a field with either is quoted.
  record_delimiter: '\r\n',
  quoted_match: /[\r\n]/,
}

export const statementFormats: Record<'jsonl' | 'csv', StatementFormat> = {
  jsonl: {
    contentType: 'application/jsonl; charset=utf-8',
    extension: 'jsonl',
    textOf: (lines) => lines.map((line) => `${JSON.stringify(jsonLineOf(line))}\n`).join(''),
  },
  csv: {
    contentType: 'text/csv; charset=utf-8; header=present',
    extension: 'csv',
    // The opening balance comes first, and the names of the columns before it.
    textOf: (lines) => stringify(lines.map(rowOf), { ...csvOptions, header: lines[0]?.kind === 'opening_balance' }),
  },
}
