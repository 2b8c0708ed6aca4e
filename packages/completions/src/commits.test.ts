import { type Outcome, newAccountId, newCompletionId, newKeyId, newPriceId, noUsage, uuidOf } from '@weir/contracts'
import { createLedger } from '@weir/ledger'
import { openTestDatabase } from '@weir/local/testing'
import { openDatabase } from '@weir/runtime'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Admission, createAdmissions, createEndings } from './commits.ts'

let fixture: Awaited<ReturnType<typeof openFixture>>
beforeAll(async () => void (fixture = await openFixture()))
afterAll(() => fixture[Symbol.asyncDispose]())

/** Two processes, each with its own admissions and endings, over one database. */
async function openFixture() {
  await using resources = new AsyncDisposableStack()
  const { url } = resources.use(await openTestDatabase())
  const limits = { maxBatch: 500, maxQueued: 10_000, timeoutMs: 60_000 }
  const asked = { ...limits, leaseMs: 600_000, idempotencyMs: 600_000 }
  const connect = () => resources.use(openDatabase(url, { max: 4, timeoutMs: 60_000, onError: () => {} }))
  const [db, otherDb] = [connect(), connect()]
  const [admissions, otherAdmissions] = [createAdmissions(db, asked), createAdmissions(otherDb, asked)]
  const [endings, otherEndings] = [createEndings(db, limits), createEndings(otherDb, limits)]
  const ledger = createLedger(db)

  const opened = resources.move()
  return {
    admissions,
    otherAdmissions,
    endings,
    otherEndings,
    ledger,
    async accountWith(amount: bigint) {
      const accountId = newAccountId()
      await ledger.amend([{ op: 'grant', accountId, kind: 'purchased', amount, actor: 'test' }])
      return accountId
    },
    async rowOf({ id }: Pick<Admission, 'id'>): Promise<Record<string, unknown> | undefined> {
      const row = sql<Record<string, unknown>>`select * from store.completion where id = ${uuidOf(id)}`
      return (await row.execute(db)).rows[0]
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

const admissionOf = (admission: Partial<Admission> & Pick<Admission, 'accountId'>): Admission => ({
  id: newCompletionId(),
  keyId: newKeyId(),
  model: 'fast',
  stream: false,
  background: false,
  metadata: undefined,
  kept: undefined,
  idempotency: undefined,
  deadlineAt: Date.now() + 60_000,
  quote: 40n,
  least: 40n,
  priceId: newPriceId(),
  ...admission,
})

const completed: Outcome = {
  state: 'completed',
  usage: { inputTokens: 7, cachedInputTokens: 2, outputTokens: 3, source: 'reported' },
  cost: 25n,
  servedBy: 'simulated/fast',
  choices: [],
}
const failed: Outcome = {
  state: 'failed',
  usage: noUsage,
  cost: 0n,
  choices: [],
  error: { code: 'backend_error', message: 'The backend failed.' },
}

test('an admitted completion has its reservation and its row', async () => {
  const admission = admissionOf({ accountId: await fixture.accountWith(100n), stream: true })

  expect(await fixture.admissions.submit(admission)).toEqual({ kind: 'reserved', amount: 40n })

  expect((await fixture.ledger.balanceOf(admission.accountId)).reserved).toBe(40n)
  expect(await fixture.rowOf(admission)).toMatchObject({
    account_id: uuidOf(admission.accountId),
    key_id: uuidOf(admission.keyId),
    model: 'fast',
    stream: true,
    state: 'queued',
    deadline_at: new Date(admission.deadlineAt),
  })
})

test('a completion that its account cannot pay leaves no row', async () => {
  const admission = admissionOf({ accountId: await fixture.accountWith(39n) })

  const verdict = await fixture.admissions.submit(admission)

  expect(verdict).toEqual({ kind: 'insufficient_credits', available: 39n, reserved: 0n })
  expect(await fixture.rowOf(admission)).toBeUndefined()
})

test('admitted and refused completions share a batch, and only the admitted ones have rows', async () => {
  const [rich, poor] = [await fixture.accountWith(80n), await fixture.accountWith(39n)]
  const all = [rich, poor, rich, poor, rich].map((accountId) => admissionOf({ accountId }))

  const verdicts = await Promise.all(all.map(fixture.admissions.submit))

  const refused = 'insufficient_credits'
  expect(verdicts.map(({ kind }) => kind)).toEqual(['reserved', refused, 'reserved', refused, refused])
  const rows = await Promise.all(all.map(fixture.rowOf))
  expect(rows.map((row) => row?.['state'])).toEqual(['queued', undefined, 'queued', undefined, undefined])
})

test('a completion admitted again, here and by another process, has one reservation and one row', async () => {
  const admission = admissionOf({ accountId: await fixture.accountWith(100n) })
  const { admissions, otherAdmissions } = fixture

  const verdicts = await Promise.all(
    [admissions, otherAdmissions, admissions, otherAdmissions].map(({ submit }) => submit(admission)),
  )

  expect(verdicts).toEqual(Array(4).fill({ kind: 'reserved', amount: 40n }))
  expect((await fixture.ledger.balanceOf(admission.accountId)).reserved).toBe(40n)
  expect(await fixture.rowOf(admission)).toMatchObject({ state: 'queued' })
})

test('one id with another quote is a conflict, and the first one stands', async () => {
  const admission = admissionOf({ accountId: await fixture.accountWith(100n) })
  await fixture.admissions.submit(admission)

  const verdict = await fixture.admissions.submit({ ...admission, quote: 41n, model: 'large' })

  expect(verdict).toEqual({ kind: 'conflict' })
  expect(await fixture.rowOf(admission)).toMatchObject({ model: 'fast' })
})

test('a row that cannot be written takes its reservation with it, and no neighbour', async () => {
  const accountId = await fixture.accountWith(200n)
  const models = ['fast', 'fast', 'no \0 name', 'fast'].map((model) => admissionOf({ accountId, model }))

  const outcomes = await Promise.allSettled(models.map(fixture.admissions.submit))

  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
  expect((await fixture.ledger.balanceOf(accountId)).reserved).toBe(120n)
  expect(await fixture.rowOf(models[2]!)).toBeUndefined()
})

test.each(['a "quoted", {braced} \\ name', "it's", 'NULL', '', '模型'])('a model may be called %j', async (model) => {
  const admission = admissionOf({ accountId: await fixture.accountWith(100n), model })

  await fixture.admissions.submit(admission)

  expect(await fixture.rowOf(admission)).toMatchObject({ model })
})

test('a completed completion is settled and its row says how it ended', async () => {
  const admission = admissionOf({ accountId: await fixture.accountWith(100n) })
  await fixture.admissions.submit(admission)

  const verdict = await fixture.endings.submit({ ...admission, outcome: completed })

  expect(verdict).toEqual({ kind: 'closed', charged: 25n, uncollected: 0n })
  expect(await fixture.ledger.balanceOf(admission.accountId)).toEqual({ balance: 75n, reserved: 0n, available: 75n })
  expect(await fixture.rowOf(admission)).toMatchObject({
    state: 'completed',
    ended_at: expect.any(Date),
    served_by: 'simulated/fast',
    error_code: null,
    input_tokens: 7n,
    cached_input_tokens: 2n,
    output_tokens: 3n,
    usage_source: 'reported',
    charged: 25n,
  })
})

test('a failed completion costs nothing and its row says why', async () => {
  const admission = admissionOf({ accountId: await fixture.accountWith(100n) })
  await fixture.admissions.submit(admission)

  const verdict = await fixture.endings.submit({ ...admission, outcome: failed })

  expect(verdict).toEqual({ kind: 'closed', charged: 0n, uncollected: 0n })
  expect(await fixture.ledger.balanceOf(admission.accountId)).toEqual({ balance: 100n, reserved: 0n, available: 100n })
  const row = { state: 'failed', error_code: 'backend_error', served_by: null, charged: 0n }
  expect(await fixture.rowOf(admission)).toMatchObject(row)
})

test('a cancelled completion pays for what was generated', async () => {
  const admission = admissionOf({ accountId: await fixture.accountWith(100n) })
  await fixture.admissions.submit(admission)

  await fixture.endings.submit({ ...admission, outcome: { ...completed, state: 'cancelled', cost: 5n } })

  expect((await fixture.ledger.balanceOf(admission.accountId)).available).toBe(95n)
  expect(await fixture.rowOf(admission)).toMatchObject({ state: 'cancelled', charged: 5n })
})

test('the row says what was charged, not what it would have cost', async () => {
  const admission = admissionOf({ accountId: await fixture.accountWith(100n) })
  await fixture.admissions.submit(admission)

  const verdict = await fixture.endings.submit({ ...admission, outcome: { ...completed, cost: 130n } })

  expect(verdict).toEqual({ kind: 'closed', charged: 100n, uncollected: 30n })
  expect(await fixture.rowOf(admission)).toMatchObject({ state: 'completed', charged: 100n })
})

test('a completion that two processes end at once ends one way, paid once', async () => {
  const admission = admissionOf({ accountId: await fixture.accountWith(100n) })
  await fixture.admissions.submit(admission)
  const { endings, otherEndings } = fixture

  const verdicts = await Promise.all([
    endings.submit({ ...admission, outcome: completed }),
    otherEndings.submit({ ...admission, outcome: failed }),
    endings.submit({ ...admission, outcome: completed }),
  ])

  expect(verdicts.filter(({ kind }) => kind === 'closed')).toHaveLength(1)
  const { state, charged } = (await fixture.rowOf(admission))!
  expect(verdicts).toMatchObject(Array(3).fill({ charged }))
  expect([state, charged]).toEqual(charged === 25n ? ['completed', 25n] : ['failed', 0n])
  expect((await fixture.ledger.balanceOf(admission.accountId)).balance).toBe(100n - (charged as bigint))
})

test('a completion that has ended is not ended again, and stays as it was', async () => {
  const admission = admissionOf({ accountId: await fixture.accountWith(100n) })
  await fixture.admissions.submit(admission)
  await fixture.endings.submit({ ...admission, outcome: completed })
  const before = await fixture.rowOf(admission)

  const verdict = await fixture.endings.submit({ ...admission, outcome: failed })

  expect(verdict).toEqual({ kind: 'already_closed', charged: 25n, uncollected: 0n })
  expect(await fixture.rowOf(admission)).toEqual(before)
})

test('nobody ends what was never admitted, or belongs to another account', async () => {
  const admission = admissionOf({ accountId: await fixture.accountWith(100n) })
  await fixture.admissions.submit(admission)
  const before = await fixture.rowOf(admission)

  const verdicts = await Promise.all([
    fixture.endings.submit({ id: newCompletionId(), accountId: admission.accountId, outcome: completed }),
    fixture.endings.submit({ id: admission.id, accountId: newAccountId(), outcome: completed }),
  ])

  expect(verdicts).toEqual([{ kind: 'not_found' }, { kind: 'not_found' }])
  expect(await fixture.rowOf(admission)).toEqual(before)
})

test('a free completion is admitted and ended on an account that was never given credits', async () => {
  const admission = admissionOf({ accountId: newAccountId(), quote: 0n })

  await fixture.admissions.submit(admission)
  await fixture.endings.submit({ ...admission, outcome: { ...completed, cost: 0n } })

  expect(await fixture.rowOf(admission)).toMatchObject({ state: 'completed', charged: 0n })
})
