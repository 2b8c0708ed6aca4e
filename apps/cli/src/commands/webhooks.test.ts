import { newAccountId, newEndpointId } from '@weir/contracts'
import { expect, test } from 'vitest'
import { adminStandIn } from '../testing/admin-stand-in.ts'

const acct = newAccountId()
const we = newEndpointId()
const listOf = (...data: object[]) => ({ body: { object: 'list', data, has_more: false, last_id: null } })

test('endpoints are a table, with why one that is disabled is', async () => {
  const endpoint = {
    id: we,
    name: 'mine',
    url: 'https://a.example/h',
    event_types: ['batch.completed', 'batch.failed'],
  }
  const disabled = { ...endpoint, enabled: false, disabled_for: 'failing' }
  await using admin = await adminStandIn({ [`GET /accounts/${acct}/webhook_endpoints`]: listOf(disabled) })

  const { out } = await admin.weir('webhooks', 'list', acct)

  expect(out).toContain(`${we}  mine  https://a.example/h  no (failing)  batch.completed batch.failed\n`)
})

test('deliveries are a table, of one endpoint and in one state where that is asked for', async () => {
  const event = { type: 'batch.completed', created_at: 1_767_225_600, data: { id: 'batch_1' } }
  const sent = { id: 'whd_1', event, webhook_endpoint_id: we, url: null, state: 'failed', attempt_count: 9 }
  const route = `GET /accounts/${acct}/webhook_deliveries?endpoint_id=${we}&state=failed`
  await using admin = await adminStandIn({ [route]: listOf({ ...sent, next_attempt_at: null }) })

  const { out } = await admin.weir('webhooks', 'deliveries', acct, '--endpoint', we, '--state', 'failed')

  expect(out).toMatch(/\nwhd_1 {2}batch\.completed {2}batch_1 {2}- {3}failed +9 {2}- {5}20/)
})
