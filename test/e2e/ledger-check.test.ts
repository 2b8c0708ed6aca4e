import { type AccountId, uuidOf } from '@weir/contracts'
import { type Weir, openWeir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, quick } from './testing/catalogue.ts'
import { asking, customerOf } from './testing/customer.ts'
import { callsOf } from './testing/operator.ts'
import { rowsOf } from './testing/rows.ts'

let weir: Weir
beforeAll(async () => void (weir = await openWeir({ config: catalogueOf({ quick }) })))
afterAll(() => weir?.[Symbol.asyncDispose]())

type Report = { ok: boolean; accounts: number; findings: { invariant: string; account_id: string | null }[] }

test('the books of a service that has worked are whole', async () => {
  const { accountId, client } = await customerOf(weir)
  const admin = callsOf(weir)
  const { id } = await client.chat.completions.create(asking('quick'))
  await admin.post(`accounts/${accountId}/refunds`, { completion_id: id, reason: 'bad answer' })

  const { status, body } = await admin.get('ledger/check')

  expect(status).toBe(200)
  expect(body).toMatchObject({ object: 'ledger_check', ok: true, findings: [], more_findings: 0 })
  expect(body).toMatchObject({ checked_at: expect.stringMatching(/Z$/), entries: 3, reservations: 1 })
})

test('credits that came from nowhere are found, and only where they are', async () => {
  const [robbed, honest] = await Promise.all([customerOf(weir), customerOf(weir)])
  await rowsOf(weir.databaseUrl, 'update ledger.account set balance = balance + 1 where id = $1', [
    uuidOf(robbed.accountId as AccountId),
  ])
  const admin = callsOf(weir)

  const all = (await admin.get<Report>('ledger/check')).body
  const [found, none] = await Promise.all(
    [robbed, honest].map(
      async ({ accountId }) => (await admin.get<Report>(`ledger/check?account_id=${accountId}`)).body,
    ),
  )

  expect(all.ok).toBe(false)
  expect(new Set(all.findings.map(({ account_id }) => account_id))).toEqual(new Set([robbed.accountId]))
  expect(found).toMatchObject({ ok: false, accounts: 1, findings: all.findings })
  expect(none).toMatchObject({ ok: true, accounts: 1, findings: [] })
})
