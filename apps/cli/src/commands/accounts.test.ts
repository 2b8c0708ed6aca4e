import { newAccountId } from '@weir/contracts'
import { expect, test } from 'vitest'
import { adminStandIn } from '../testing/admin-stand-in.ts'

const acct = newAccountId()
const account = { id: acct, name: 'acme', frozen: false, shortage: 'refuse', created_at: '2026-01-01T00:00:00.000Z' }

test('an account is shown with what is decided for it and what it has', async () => {
  const credits = { balance: 2, reserved: 0.5, available: 1.5 }
  await using admin = await adminStandIn({
    [`GET /accounts/${acct}`]: { body: { ...account, frozen: true, shortage: 'clamp', credits } },
  })

  const { out } = await admin.weir('accounts', 'show', acct)

  expect(out).toMatch(/\nfrozen {5}yes\nshortage {3}clamp\nbalance {4}2\.0\nreserved {3}0\.5\navailable {2}1\.5\n$/)
})

test('an account is frozen and unfrozen with a reason', async () => {
  await using admin = await adminStandIn({
    [`POST /accounts/${acct}/freeze`]: { body: { ...account, frozen: true } },
    [`POST /accounts/${acct}/unfreeze`]: { body: account },
  })

  const frozen = await admin.weir('accounts', 'freeze', acct, '--reason', ' card was stolen ')
  const unfrozen = await admin.weir('accounts', 'unfreeze', acct, '--reason', 'card was found')

  expect(frozen).toMatchObject({ exitCode: 0, out: expect.stringContaining('frozen    yes\n') })
  expect(unfrozen).toMatchObject({ exitCode: 0, out: expect.stringContaining('frozen    no\n') })
  expect(admin.asked.map(({ body }) => body)).toEqual([{ reason: 'card was stolen' }, { reason: 'card was found' }])
})

test('what happens when credits are short is an update of the account', async () => {
  const route = `PATCH /accounts/${acct}`
  await using admin = await adminStandIn({ [route]: { body: { ...account, shortage: 'clamp' } } })

  const { out } = await admin.weir('accounts', 'update', acct, '--shortage', 'clamp')

  expect(out).toContain('shortage  clamp\n')
  expect(admin.asked).toMatchObject([{ route, body: { shortage: 'clamp' } }])
})
