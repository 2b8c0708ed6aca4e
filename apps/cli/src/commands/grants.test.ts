import { newAccountId, newGrantId } from '@weir/contracts'
import { expect, test } from 'vitest'
import { adminStandIn } from '../testing/admin-stand-in.ts'

const acct = newAccountId()
const day = 24 * 3_600_000
const plain = {
  id: 'grant_1',
  kind: 'purchased',
  priority: 100,
  credits: 25,
  balance: 25,
  reference: null,
  expires_at: null,
  revoked_at: null,
  created_at: '2026-01-01T00:00:00.000Z',
}

test('a grant sends its amount as text and its reference with it', async () => {
  const grant = { ...plain, credits: 0.1, balance: 0.1, reference: 'inv-1' }
  await using admin = await adminStandIn({ [`POST /accounts/${acct}/grants`]: { status: 201, body: grant } })

  const { out } = await admin.weir('grants', 'create', acct, '0.10', '--kind', 'purchased', '--reference', 'inv-1')

  expect(admin.asked[0]?.body).toEqual({ credits: '0.1', kind: 'purchased', reference: 'inv-1' })
  expect(out).toContain('credits    0.1\nleft       0.1\nexpires    -\nreference  inv-1\n')
})

test('a grant is given with its priority and the time of its expiry', async () => {
  const grant = { ...plain, priority: 5, expires_at: '2030-01-31T00:00:00.000Z' }
  await using admin = await adminStandIn({ [`POST /accounts/${acct}/grants`]: { status: 201, body: grant } })
  const create = ['grants', 'create', acct, '25', '--kind', 'purchased', '--priority', '5', '--expires-at']

  const { out } = await admin.weir(...create, '2030-01-31')
  await admin.weir(...create, '2030-01-31T01:00:00+01:00')

  const body = { credits: '25', kind: 'purchased', priority: 5, expires_at: '2030-01-31T00:00:00.000Z' }
  expect(admin.asked.map((asked) => asked.body)).toEqual([body, body])
  expect(out).toMatch(/priority {3}5\n.*\n.*\nexpires {4}20(29|30)-/)
})

test('an expiry may be typed as a span from now', async () => {
  await using admin = await adminStandIn({ [`POST /accounts/${acct}/grants`]: { status: 201, body: plain } })
  const earliest = Date.now() + 30 * day

  await admin.weir('grants', 'create', acct, '25', '--kind', 'purchased', '--expires-at', '30d')

  const { expires_at } = admin.asked[0]!.body as { expires_at: string }
  expect(Date.parse(expires_at)).toBeGreaterThanOrEqual(earliest)
  expect(Date.parse(expires_at)).toBeLessThanOrEqual(Date.now() + 30 * day)
})

test('a reference that had its grant before is told, for nothing was given', async () => {
  const grant = { ...plain, balance: 3, reference: 'inv-1' }
  await using admin = await adminStandIn({ [`POST /accounts/${acct}/grants`]: { status: 200, body: grant } })

  const { err } = await admin.weir('grants', 'create', acct, '25', '--kind', 'purchased', '--reference', 'inv-1')

  expect(err).toBe('This reference had its grant before: nothing was given now.\n')
})

test('grants are listed with their priority, what is left of them and how they end', async () => {
  const ended = { ...plain, id: 'grant_2', priority: 7, balance: 0.5, revoked_at: '2026-02-01T00:00:00.000Z' }
  const data = [ended, { ...plain, expires_at: '2030-01-01T00:00:00.000Z' }]
  await using admin = await adminStandIn({
    [`GET /accounts/${acct}/grants`]: { body: { object: 'list', data, has_more: false, last_id: 'grant_1' } },
  })

  const { out } = await admin.weir('grants', 'list', acct)

  const [titles, ...rows] = out
    .trim()
    .split('\n')
    .map((line) => line.replace(/20\d\d-[-:T+\d]+/g, 'TIME').split(/ {2,}/))
  expect(titles?.join()).toBe('id,kind,priority,credits,left,expires,revoked,reference,created')
  expect(rows[0]?.join()).toBe('grant_2,purchased,7,25,0.5,-,TIME,-,TIME')
  expect(rows[1]?.join()).toBe('grant_1,purchased,100,25,25.0,TIME,-,-,TIME')
})

test('a grant is revoked with a reason, and what it took is shown', async () => {
  const id = newGrantId()
  const route = `POST /accounts/${acct}/grants/${id}/revoke`
  const done = { kind: 'revoke', credits: -20, reference: 'case-9', grant_id: id, completion_id: null }
  const action = { id: 'action_1', ...done, actor: 'admin', reason: 'chargeback', created_at: plain.created_at }
  await using admin = await adminStandIn({ [route]: { body: action } })

  const { out } = await admin.weir('grants', 'revoke', acct, id, '--reason', 'chargeback', '--reference', 'case-9')

  expect(admin.asked).toMatchObject([{ route, body: { reason: 'chargeback', reference: 'case-9' } }])
  expect(out).toContain(`credits     -20\ngrant       ${id}\n`)
})
