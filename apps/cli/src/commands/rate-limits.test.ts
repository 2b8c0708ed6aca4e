import { newAccountId, newKeyId } from '@weir/contracts'
import { expect, test } from 'vitest'
import { adminStandIn } from '../testing/admin-stand-in.ts'

const acct = newAccountId()
const key = newKeyId()
const ofAccount = `/accounts/${acct}/rate-limits`
const ofKey = `/accounts/${acct}/keys/${key}/rate-limits`
const body = { object: 'rate_limits', concurrent: 10, queued: null, requests_per_minute: 60, tokens_per_minute: null }

test('the rate limits of an account are shown, a dash where none was decided', async () => {
  await using admin = await adminStandIn({ [`GET ${ofAccount}`]: { body } })

  expect((await admin.weir('rate-limits', 'show', acct)).out.split('\n')).toEqual([
    'concurrent           10',
    'queued               -',
    'requests per minute  60',
    'tokens per minute    -',
    '',
  ])
})

test('limits are set and taken away, and those that are not named stay', async () => {
  await using admin = await adminStandIn({ [`PUT ${ofKey}`]: { body } })

  const { exitCode } = await admin.weir(
    'rate-limits',
    'set',
    acct,
    '--key',
    key,
    '--concurrent',
    '10',
    '--tokens',
    'none',
  )

  expect(exitCode).toBe(0)
  expect(admin.asked).toMatchObject([{ route: `PUT ${ofKey}` }])
  expect(admin.asked[0]!.body).toEqual({ concurrent: 10, tokens_per_minute: null })
})

test('all limits of an account or a key are taken away at once', async () => {
  await using admin = await adminStandIn({ [`DELETE ${ofAccount}`]: { body }, [`DELETE ${ofKey}`]: { body } })

  await admin.weir('rate-limits', 'clear', acct)
  await admin.weir('rate-limits', 'clear', acct, '--key', key)

  expect(admin.asked.map(({ route }) => route)).toEqual([`DELETE ${ofAccount}`, `DELETE ${ofKey}`])
})

test.each(['0', '-1', '1.5', 'many', '99999999999'])('%s is no limit', async (typed) => {
  await using admin = await adminStandIn({})

  const { exitCode, err } = await admin.weir('rate-limits', 'set', acct, `--requests=${typed}`)

  expect(exitCode).toBe(2)
  expect(err).toContain("whole number above zero, or 'none'")
  expect(admin.asked).toEqual([])
})

test('a change that names no limit is not sent', async () => {
  await using admin = await adminStandIn({})
  expect((await admin.weir('rate-limits', 'set', acct)).exitCode).toBe(2)
})
