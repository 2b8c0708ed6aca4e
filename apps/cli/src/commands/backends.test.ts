import { expect, test } from 'vitest'
import { adminStandIn } from '../testing/admin-stand-in.ts'

const seen = (breaker: string, successes: number, failures: number, last_error: object | null = null) => ({
  worker: `${breaker}-${successes}`,
  breaker,
  successes,
  failures,
  last_error,
})

const targetOf = (given: object) => ({
  models: ['fast'],
  quota_group: 'gpu',
  cooling_until: null,
  workers: [],
  ...given,
})

const backend = (given: object) => ({ object: 'backend', name: 'gpu', kind: 'openai', slots: null, ...given })

test('each target is a line, with what all workers see of it', async () => {
  const targets = [
    targetOf({ target: 'gpu/small', workers: [seen('closed', 3, 0), seen('open', 4, 5)] }),
    targetOf({ target: 'gpu/large', models: ['slow', 'slower'], workers: [seen('half_open', 1, 2)] }),
  ]
  const data = [backend({ targets, slots: { limit: 8, in_use: 2 } })]
  await using admin = await adminStandIn({ 'GET /backends': { body: { object: 'list', data } } })

  const { out } = await admin.weir('backends')

  expect(out.split('\n')).toEqual([
    'target     models       slots  breaker           answered  failed  last error  cooling until',
    'gpu/small  fast           2/8  1 closed, 1 open         7       5  -           -',
    'gpu/large  slow slower    2/8  half open                1       2  -           -',
    '',
  ])
})

test('of several errors the last is told, and until when a vendor wants to be left alone', async () => {
  const errors = [
    { code: 'backend_error', at: '2026-05-02T10:00:00.000Z' },
    { code: 'backend_overloaded', at: '2026-05-02T09:00:00.000Z' },
  ]
  const workers = errors.map((error) => seen('closed', 0, 1, error))
  const targets = [targetOf({ target: 'gpu/small', workers, cooling_until: '2026-05-02T10:01:00.000Z' })]
  await using admin = await adminStandIn({
    'GET /backends': { body: { object: 'list', data: [backend({ targets })] } },
  })

  const { out } = await admin.weir('backends')

  expect(out).toMatch(/backend_error 2026-05-02T\S+ +2026-05-02T\S+\n$/)
})
