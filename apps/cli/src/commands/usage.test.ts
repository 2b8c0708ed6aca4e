import { newAccountId, newKeyId } from '@weir/contracts'
import { expect, test } from 'vitest'
import { adminStandIn } from '../testing/admin-stand-in.ts'

const acct = newAccountId()
const path = `GET /accounts/${acct}/usage`
const tokens = { input_tokens: 1200, cached_input_tokens: 200, cache_write_tokens: 50, output_tokens: 90 }
const used = { requests: 3, ...tokens, reasoning_tokens: 40, images: 2, credits: 0.159 }
const answer = (row: object, has_more = false) => ({
  body: { object: 'list', data: [{ ...row, ...used }], has_more, last_id: null },
})

test('usage is a table of days in UTC, a row for each model', async () => {
  const row = { starts_at: '2026-03-01T00:00:00.000Z', model: 'quick', key_id: null }
  await using admin = await adminStandIn({ [`${path}?bucket=day&group_by=model`]: answer(row) })

  expect((await admin.weir('usage', acct)).out.split('\n')).toEqual([
    'day (UTC)   model  requests  input  cached input  cache write  output  reasoning  images  credits',
    '2026-03-01  quick         3   1200           200           50      90         40       2    0.159',
    '',
  ])
})

test('usage is asked for by bucket, period, model and key, and tells when it is cut short', async () => {
  const key = newKeyId()
  const row = { starts_at: '2026-03-01T14:00:00.000Z', model: 'quick', key_id: key }
  const query =
    'bucket=hour&group_by=key%2Cmodel&from=2026-03-01T00%3A00%3A00.000Z&to=2026-03-02T00%3A00%3A00.000Z' +
    `&model=quick&key_id=${key}`
  await using admin = await adminStandIn({ [`${path}?${query}`]: answer(row, true) })
  const options = ['--bucket', 'hour', '--group-by', 'key,model', '--from', '2026-03-01', '--to', '2026-03-02']

  const { out, err } = await admin.weir('usage', acct, ...options, '--model', 'quick', '--key', key)

  expect(out.split('\n')[1]).toMatch(new RegExp(`^2026-03-01T14:00 {2}${key} {2}quick `))
  expect(err).toContain('--all')
})

test('usage of everything together has neither model nor key', async () => {
  const row = { starts_at: '2026-03-01T00:00:00.000Z', model: null, key_id: null }
  await using admin = await adminStandIn({ [`${path}?bucket=month&group_by=`]: answer(row) })

  const { out } = await admin.weir('usage', acct, '--bucket', 'month', '--group-by', 'none')

  expect(out.split('\n')[1]).toMatch(/^2026-03 +3 +1200 /)
})
