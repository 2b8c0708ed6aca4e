import { newAccountId, newKeyId } from '@weir/contracts'
import { expect, test } from 'vitest'
import { adminStandIn } from '../testing/admin-stand-in.ts'

const acct = newAccountId()
const key = newKeyId()
const path = `/accounts/${acct}/keys/${key}/limits`
const limits = [
  { period: 'day', credits: 5, spent: 1.25, reserved: 0.1 },
  { period: 'total', credits: 100, spent: 40.000001, reserved: 0.1 },
]

test('the limits of a key are shown beside what it has spent', async () => {
  await using admin = await adminStandIn({ [`GET ${path}`]: { body: { object: 'key_limits', limits } } })

  expect((await admin.weir('keys', 'limits', acct, key)).out.split('\n')).toEqual([
    'period  limit      spent  reserved',
    'day         5   1.250000       0.1',
    'total     100  40.000001       0.1',
    '',
  ])
})

test('limits are set and taken away, and those that are not named stay', async () => {
  await using admin = await adminStandIn({ [`PUT ${path}`]: { body: { object: 'key_limits', limits: [] } } })

  const { exitCode, out } = await admin.weir('keys', 'limit', 'set', acct, key, '--day', '5.50', '--total', 'none')

  expect(admin.asked).toMatchObject([{ route: `PUT ${path}`, body: { day: '5.5', total: null } }])
  expect({ exitCode, out }).toEqual({ exitCode: 0, out: 'None.\n' })
})
