import { newAccountId, newBatchId, newKeyId } from '@weir/contracts'
import { expect, test } from 'vitest'
import { adminStandIn } from '../testing/admin-stand-in.ts'

const batch = {
  id: newBatchId(),
  account_id: newAccountId(),
  key_id: newKeyId(),
  endpoint: '/v1/chat/completions',
  status: 'in_progress',
  paused: { reason: 'key_limit', since: 1_767_225_600 },
  created_at: 1_767_225_600,
  expires_at: 1_767_312_000,
  lines: { total: 5, pending: 3, running: 0, completed: 2, failed: 0, cancelled: 0, expired: 0 },
  credits_consumed: 0.25,
  credits_reserved: 0,
}
const page = { object: 'list', data: [batch], has_more: false, last_id: batch.id }

test('batches are a table that says what each waits for', async () => {
  const route = `GET /batches?account_id=${batch.account_id}&state=paused`
  await using admin = await adminStandIn({ [route]: { body: page } })

  const { out } = await admin.weir('batches', 'list', '--account', batch.account_id, '--state', 'paused')

  const [, row] = out.split('\n').map((line) => line.split(/ {2,}/))
  expect(row?.slice(0, 10)).toEqual([
    batch.id,
    batch.account_id,
    'in_progress',
    'key_limit',
    '5',
    '3',
    '0',
    '2',
    '0',
    '0.25',
  ])
})

test('one batch is shown with its mistakes, however it is spelt', async () => {
  const errors = { object: 'list', data: [{ code: 'invalid_json', message: 'is no JSON', line: 7 }] }
  await using admin = await adminStandIn({ [`GET /batches/${batch.id}`]: { body: { ...batch, errors } } })

  const { out } = await admin.weir('batches', 'show', batch.id.replace('batch_', 'msgbatch_'))

  expect(out).toMatch(/^paused +for key_limit, since 20/m)
  expect(out).toMatch(/^error +line 7: is no JSON$/m)
})

test('a batch is cancelled by its id, and by nothing that is none', async () => {
  const route = `POST /batches/${batch.id}/cancel`
  await using admin = await adminStandIn({ [route]: { body: { ...batch, status: 'cancelling' } } })

  expect((await admin.weir('batches', 'cancel', batch.id)).out).toMatch(/^state +cancelling$/m)
  expect(await admin.weir('batches', 'cancel', 'all')).toMatchObject({ exitCode: 2 })
  expect(admin.asked).toMatchObject([{ route, body: undefined }])
})
