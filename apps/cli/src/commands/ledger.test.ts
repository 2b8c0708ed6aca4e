import { newAccountId } from '@weir/contracts'
import { expect, test } from 'vitest'
import { adminStandIn } from '../testing/admin-stand-in.ts'

const acct = newAccountId()
const whole = {
  object: 'ledger_check',
  ok: true,
  checked_at: '2026-01-01T00:00:00.000Z',
  accounts: 2,
  entries: 40,
  reservations: 38,
  findings: [],
  more_findings: 0,
}
const finding = { invariant: 'balance_is_sum', account_id: acct, subject: null, message: 'The balance is off by 1.' }
const broken = { ...whole, ok: false, findings: [finding], more_findings: 12 }

test('whole books are told and end in 0', async () => {
  await using admin = await adminStandIn({ 'GET /ledger/check': { body: whole } })

  const { exitCode, out, err } = await admin.weir('ledger', 'check')

  expect(out).toMatch(/^whole {9}yes\naccounts {6}2\nentries {7}40\nreservations {2}38\nchecked {7}20/)
  expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
})

test('findings are listed and end in 1', async () => {
  await using admin = await adminStandIn({ [`GET /ledger/check?account_id=${acct}`]: { body: broken } })

  const { exitCode, out, err } = await admin.weir('ledger', 'check', '--account', acct)

  expect(out).toMatch(/^whole {9}NO\n/)
  expect(out).toMatch(
    new RegExp(`\n\ninvariant .*\nbalance_is_sum  ${acct}  - {8}The balance is off by 1.\nAnd 12 more.\n$`),
  )
  expect({ exitCode, err }).toEqual({ exitCode: 1, err: 'weir: The books are not whole.\n' })
})

test('findings end in 1 for a script too', async () => {
  await using admin = await adminStandIn({ 'GET /ledger/check': { body: broken } })

  const { exitCode, out } = await admin.weir('ledger', 'check', '--json')

  expect({ exitCode, answer: JSON.parse(out) }).toEqual({ exitCode: 1, answer: broken })
})
