import { connect } from 'node:net'
import { type AccountId, uuidOf } from '@weir/contracts'
import { type Weir, openWeir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, quick } from './testing/catalogue.ts'
import { asking, customerOf } from './testing/customer.ts'
import { type Entry, type List, callsOf, sumOf } from './testing/operator.ts'
import { patiently } from './testing/patiently.ts'
import { rowsOf } from './testing/rows.ts'

let weir: Weir
beforeAll(
  async () =>
    void (weir = await openWeir({ config: catalogueOf({ quick }), apiEnv: { WEIR_STREAM_STALL_MS: '1000' } })),
)
afterAll(() => weir?.[Symbol.asyncDispose]())

type Line = Partial<Entry> & { object: string; balance: number; at?: string; entries?: number }

const linesOf = (text: string): Line[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)

/** The statement of an account as JSON Lines: its entries between the two balances. */
async function statementOf(accountId: string, query = '') {
  const { text } = await callsOf(weir).text(`accounts/${accountId}/statement?${query}`)
  const lines = linesOf(text)
  return { opening: lines[0]!, entries: lines.slice(1, -1), closing: lines.at(-1)! }
}

/** An account that was given credits, spent some, was refunded and corrected. */
async function busyAccount() {
  const customer = await customerOf(weir, { credits: 10 })
  const admin = callsOf(weir)
  const at = (path: string) => `accounts/${customer.accountId}/${path}`
  const { id } = await customer.client.chat.completions.create(asking('quick'))
  await admin.post(at('refunds'), { completion_id: id, credits: 0.01, reason: '=SUM(A1), "said" he' })
  await admin.post(at('adjustments'), { credits: -2.5, reason: 'twice booked' })
  await customer.client.chat.completions.create(asking('quick'))
  const entries = (await admin.get<List<Entry>>(at('entries'))).body.data.reverse()
  return { ...customer, admin, entries }
}

test('a statement in JSON Lines says what the entries say, between an opening and a closing balance', async () => {
  const { accountId, entries, credits } = await busyAccount()

  const statement = await statementOf(accountId)

  expect(statement.opening).toMatchObject({ object: 'opening_balance', account_id: accountId, balance: 0 })
  expect(statement.entries.map(({ balance: _, ...entry }) => entry)).toEqual(entries)
  expect(entries.map(({ kind }) => kind)).toEqual(['grant', 'charge', 'refund', 'adjustment', 'charge'])
  expect(statement.entries.map(({ balance }) => balance)).toEqual(
    entries.map((_, n) => sumOf(entries.slice(0, n + 1).map(({ credits }) => credits))),
  )
  const { balance } = await credits()
  expect(statement.closing).toMatchObject({ object: 'closing_balance', account_id: accountId, balance, entries: 5 })
})

test('a statement in CSV says the same, exactly, and runs nothing in a spreadsheet', async () => {
  const { accountId, entries, credits } = await busyAccount()

  const { type, text } = await callsOf(weir).text(`accounts/${accountId}/statement?format=csv`)

  expect(type).toBe('text/csv; charset=utf-8; header=present')
  const [header, opening, ...rows] = text.trimEnd().split('\r\n')
  expect(header).toBe('sequence,created_at,kind,credits,balance,grant_id,completion_id,action_id,balance_after,reason')
  expect(opening).toMatch(/^,[\d-]+T[\d:.]+Z,opening_balance,,0,,,,,$/)
  expect(rows.at(-1)).toMatch(new RegExp(`^,[^,]+,closing_balance,,${(await credits()).balance},,,,,$`))
  expect(rows.slice(0, -1)).toEqual(
    entries.map(({ reason, ...entry }, n) =>
      [
        entry.sequence,
        entry.created_at,
        entry.kind,
        entry.credits,
        sumOf(entries.slice(0, n + 1).map(({ credits }) => credits)),
        entry.grant_id,
        entry.completion_id,
        entry.action_id,
        entry.balance_after,
        reason?.startsWith('=') ? `"'=SUM(A1), ""said"" he"` : reason,
      ].join(','),
    ),
  )
})

test('statements of periods that follow one another fit together, whatever ended between them', async () => {
  const { accountId, entries } = await busyAccount()
  const whole = await statementOf(accountId, 'from=2020-01-01')
  const cuts = ['2020-01-01', ...entries.slice(1).map(({ created_at }) => created_at), '2999-01-01']

  const parts = []
  for (const [n, to] of cuts.slice(1).entries()) parts.push(await statementOf(accountId, `from=${cuts[n]}&to=${to}`))

  expect(parts.flatMap(({ entries }) => entries)).toEqual(whole.entries)
  expect(parts.map(({ opening }) => opening.balance)).toEqual([
    0,
    ...parts.slice(0, -1).map(({ closing }) => closing.balance),
  ])
  expect(parts.at(-1)?.closing.balance).toBe(whole.closing.balance)
  expect(sumOf(parts.map(({ closing }) => closing.entries ?? 0))).toBe(5)
})

test('a long statement is whole', async () => {
  const { accountId } = await customerOf(weir, { credits: 1 })
  await charged(accountId, 2_500)

  const { opening, entries, closing } = await statementOf(accountId)

  expect(entries.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 2_501 }, (_, n) => n + 1))
  expect([opening.balance, closing.balance]).toEqual([0, 0.9975])
})

test('an entry at the first moment of a period belongs to it, and one at the first moment after it does not', async () => {
  const { accountId } = await customerOf(weir, { credits: 0 })
  await booked(accountId, ['2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'])

  const january = await statementOf(accountId, 'from=2026-01-01&to=2026-02-01')

  expect(january.entries.map(({ sequence }) => sequence)).toEqual([1])
  expect([january.opening.balance, january.closing.balance]).toEqual([0, 3])
})

test('what is archived is in the opening balance, and a statement cannot reach behind it', async () => {
  const { accountId } = await customerOf(weir, { credits: 0 })
  await rowsOf(weir.databaseUrl, "select ledger.make_month('2025-01-01')")
  const times = ['2025-01-10T00:00:00Z', '2025-02-01T00:00:30Z', '2025-02-02T00:00:00Z']
  await booked(accountId, times, times.with(1, '2025-01-31T23:59:30Z'))
  await rowsOf(weir.databaseUrl, "select ledger.detach_month('2025-01-01')")
  const admin = callsOf(weir)
  await admin.post(`accounts/${accountId}/adjustments`, { credits: 1, reason: 'goodwill' })

  const { opening, entries, closing } = await statementOf(accountId, 'from=2025-02-01')
  const tooEarly = await admin.get(`accounts/${accountId}/statement?from=2025-01-15`)

  expect([opening.balance, closing.balance, closing.entries]).toEqual([6, 10, 2])
  expect(entries).toMatchObject([
    { sequence: 3, kind: 'grant', balance: 9 },
    { sequence: 4, kind: 'adjustment', credits: 1, balance: 10 },
  ])
  expect(tooEarly).toMatchObject({ status: 400, body: { error: { param: 'from' } } })
  expect(JSON.stringify(tooEarly.body)).toContain('before 2025-02-01T00:00:00.000Z are archived')
})

/** Books three credits for a new account at each of these times, for what began then or at another time. */
async function booked(accountId: string, times: string[], begun = times): Promise<void> {
  await rowsOf(
    weir.databaseUrl,
    `with opened as (
       insert into ledger.account (id, balance, sequence) values ($1, 3000000 * cardinality($2::timestamptz[]), cardinality($2))
     )
     insert into ledger.entry (account_id, sequence, kind, ref, grant_id, amount, balance_after, created_at)
     select $1, n, 'grant', ledger.new_id(begun), ledger.new_id(begun), 3000000, 3000000, at
     from unnest($2::timestamptz[], $3::timestamptz[]) with ordinality o(at, begun, n)`,
    [uuidOf(accountId as AccountId), times, begun],
  )
}

test('a reader that takes nothing is cut off, and its statement has no closing balance', async () => {
  const { accountId } = await customerOf(weir, { credits: 1 })
  await charged(accountId, 80_000)
  const { hostname, port } = new URL(weir.url)
  const socket = connect(Number(port), hostname)
  const closed = new Promise((resolve) => socket.once('close', resolve))
  const path = `/admin/v1/accounts/${accountId}/statement`
  socket.write(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${weir.adminKey}\r\n\r\n`)
  const parts = await new Promise<Buffer[]>((resolve) => {
    socket.once('data', (part) => {
      socket.pause()
      resolve([part])
    })
  })

  await expect.poll(() => weir.apis[0]!.logs().join(), patiently).toContain('statement was not taken')
  socket.on('data', (part) => parts.push(part)).on('error', () => {})
  socket.resume()
  await closed

  const text = Buffer.concat(parts).toString()
  expect(text).toContain('opening_balance')
  expect(text).not.toContain('closing_balance')
})

/** Takes a microcredit so many times, as if by as many completions. */
async function charged(accountId: string, times: number): Promise<void> {
  const account = uuidOf(accountId as AccountId)
  await rowsOf(
    weir.databaseUrl,
    `with changed as (
       update ledger.account set sequence = sequence + $2, balance = balance - $2 where id = $1 returning sequence - $2 as before
     ), paying as (
       update ledger.credit_grant set balance = balance - $2 where account_id = $1 returning id, balance + $2 as before
     )
     insert into ledger.entry (account_id, sequence, kind, ref, grant_id, amount, balance_after, created_at)
     select $1, changed.before + n, 'charge', ledger.new_id(clock_timestamp()), id, -1, paying.before - n, clock_timestamp()
     from changed, paying, generate_series(1, $2::bigint) n`,
    [account, times],
  )
}

test('an account without entries has a statement of nothing', async () => {
  const { accountId } = await customerOf(weir, { credits: 0 })

  const { opening, entries, closing } = await statementOf(accountId, 'from=2026-01-01&to=2026-02-01')

  expect(entries).toEqual([])
  expect(opening).toMatchObject({ at: '2026-01-01T00:00:00.000Z', balance: 0 })
  expect(closing).toMatchObject({ at: '2026-02-01T00:00:00.000Z', balance: 0, entries: 0 })
})

test.each([
  ['format=xml', 'format'],
  ['from=yesterday', 'from'],
  ['from=2026-02-01&to=2026-01-01', 'from'],
  ['to=0000-01-01', 'to'],
  ['form=csv', 'form'],
])('a statement with %s is refused', async (query, param) => {
  const { accountId } = await customerOf(weir, { credits: 0 })

  const answer = await callsOf(weir).get(`accounts/${accountId}/statement?${query}`)

  expect(answer).toMatchObject({ status: 400, body: { error: { param } } })
})
