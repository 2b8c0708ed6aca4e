import { newActionId, newGrantId } from '@weir/contracts'
import type { Entry } from '@weir/ledger'
import { expect, test } from 'vitest'
import { statementFormats } from './statement-formats.ts'

const [grantId, actionId] = [newGrantId(), newActionId()]

function csvOf(reason: string): string {
  const entry: Entry = {
    sequence: 1,
    kind: 'adjustment',
    amount: 1n,
    grantId,
    completionId: null,
    actionId,
    balanceAfter: 1n,
    reason,
    createdAt: new Date('2026-01-01T00:00:00Z'),
  }
  return statementFormats.csv.textOf([{ kind: 'entry', entry, balance: 1n }])
}

const row = (reason: string) =>
  `1,2026-01-01T00:00:00.000Z,adjustment,0.000001,0.000001,${grantId},,${actionId},0.000001,${reason}\r\n`

test.each([
  ['a plain word', 'goodwill', 'goodwill'],
  ['a comma and quotes', 'a, "b"', '"a, ""b"""'],
  ['a line feed', 'a\nb', '"a\nb"'],
  ['a carriage return', 'a\rb', '"a\rb"'],
  ['both', 'a\r\nb', '"a\r\nb"'],
])('a reason with %s is one field of one row', (_what, reason, field) => {
  expect(csvOf(reason)).toBe(row(field))
})

test.each([
  ['=1+1', "'=1+1"],
  ['-1', "'-1"],
  ['a\n=1+1', '"a\n\'=1+1"'],
  ['a\r@b\n\n+c', '"a\r\'@b\n\n\'+c"'],
  ['a\n＝1', '"a\n\'＝1"'],
  ['a\nb=1', '"a\nb=1"'],
])('a reason that a spreadsheet would run, %j, is text to it', (reason, field) => {
  expect(csvOf(reason)).toBe(row(field))
})
