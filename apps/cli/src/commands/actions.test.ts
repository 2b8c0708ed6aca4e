import { newAccountId, newCompletionId } from '@weir/contracts'
import { expect, test } from 'vitest'
import { adminStandIn } from '../testing/admin-stand-in.ts'

const acct = newAccountId()
const action = {
  id: 'action_1',
  kind: 'adjust',
  credits: -2.5,
  reference: 'case-9',
  grant_id: null,
  completion_id: null,
  actor: 'admin',
  reason: 'granted twice',
  created_at: '2026-01-01T00:00:00.000Z',
}

test('an adjustment below zero takes, and says who took it and why', async () => {
  const route = `POST /accounts/${acct}/adjustments`
  await using admin = await adminStandIn({ [route]: { status: 201, body: action } })

  const { out, err } = await admin.weir('adjustments', 'create', acct, '-2.50', '--reason', 'granted twice')

  expect(admin.asked).toMatchObject([{ route, body: { credits: '-2.5', reason: 'granted twice' } }])
  expect(out).toMatch(/kind {8}adjust\ncredits {5}-2\.5\n(.*\n)*reason {6}granted twice\n.*\nby {10}admin\n/)
  expect(err).toBe('')
})

test('an adjustment above zero gives, as a grant of the kind that is named', async () => {
  const given = { ...action, credits: 5, grant_id: 'grant_1' }
  await using admin = await adminStandIn({ [`POST /accounts/${acct}/adjustments`]: { status: 200, body: given } })
  const options = ['--reason', 'sorry', '--kind', 'promotional', '--priority', '0', '--expires-at', '2030-01-01']

  const { out, err } = await admin.weir('adjustments', 'create', acct, '5', ...options, '--reference', 'case-9')

  const named = { kind: 'promotional', priority: 0, expires_at: '2030-01-01T00:00:00.000Z', reference: 'case-9' }
  expect(admin.asked[0]?.body).toEqual({ credits: '5', reason: 'sorry', ...named })
  expect(out).toContain('credits     +5\n')
  expect(err).toBe('This reference had its adjustment before: nothing was moved now.\n')
})

test('a refund is of all that is left of a charge, or of the amount that is named', async () => {
  const id = newCompletionId()
  const refund = { ...action, kind: 'refund', credits: 0.053, completion_id: id }
  await using admin = await adminStandIn({ [`POST /accounts/${acct}/refunds`]: { status: 201, body: refund } })

  const { out } = await admin.weir('refunds', 'create', acct, id, '--reason', 'gibberish')
  await admin.weir('refunds', 'create', acct, id, '--reason', 'gibberish', '--credits', '0.01', '--reference', 'r')

  expect(admin.asked.map(({ body }) => body)).toEqual([
    { completion_id: id, reason: 'gibberish' },
    { completion_id: id, reason: 'gibberish', credits: '0.01', reference: 'r' },
  ])
  expect(out).toContain(`credits     +0.053\n`)
})

test('the actions of an account are a table of who did what and why', async () => {
  const data = [{ ...action, id: 'action_2', kind: 'freeze', credits: 0, reason: null }, action]
  await using admin = await adminStandIn({
    [`GET /accounts/${acct}/actions?limit=2`]: { body: { object: 'list', data, has_more: true, last_id: 'action_1' } },
  })

  const { out, err } = await admin.weir('actions', 'list', acct, '--limit', '2')

  const [titles, freeze, adjust] = out.split('\n').map((line) => line.replace(/20\d\d-[-:T+\d]+/, 'TIME'))
  expect(titles?.split(/ {2,}/).join()).toBe('id,time,kind,credits,by,grant,completion,reference,reason')
  expect(freeze).toMatch(/^action_2 {2}TIME {2}freeze {6}0\.0 {2}admin .* -$/)
  expect(adjust).toMatch(/^action_1 {2}TIME {2}adjust {5}-2\.5 {2}admin .* case-9 {5}granted twice$/)
  expect(err).toContain('--all')
})
