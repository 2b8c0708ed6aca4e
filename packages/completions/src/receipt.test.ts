import {
  type AccountId,
  type CompletionId,
  type Outcome,
  type Price,
  type Usage,
  newAccountId,
  newCompletionId,
  newKeyId,
  uuidOf,
} from '@weir/contracts'
import { createLedger, createPrices } from '@weir/ledger'
import { openTestDatabase } from '@weir/local/testing'
import { openDatabase } from '@weir/runtime'
import { createCompletionRecords } from '@weir/store'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Admission, createAdmissions, createEndings } from './commits.ts'
import { type Receipt, receiptOf } from './receipt.ts'

let fixture: Awaited<ReturnType<typeof openFixture>>
beforeAll(async () => void (fixture = await openFixture()))
afterAll(() => fixture?.[Symbol.asyncDispose]())

/** One and a half microcredits for a token that comes in, half of one for a cached one, two for one that goes out. */
const price = { input: 1_500_000n, cachedInput: 500_000n, output: 2_000_000n }

async function openFixture() {
  await using resources = new AsyncDisposableStack()
  const { url } = resources.use(await openTestDatabase())
  const db = resources.use(openDatabase(url, { max: 4, timeoutMs: 60_000, onError: () => {} }))
  const limits = { maxBatch: 500, maxQueued: 10_000, timeoutMs: 60_000 }
  const admissions = resources.use(createAdmissions(db, { ...limits, leaseMs: 600_000, idempotencyMs: 600_000 }))
  const endings = resources.use(createEndings(db, limits))
  const [ledger, prices] = [createLedger(db), createPrices(db)]
  const { id: priceId } = await prices.set('fast', price)

  const opened = resources.move()
  return {
    db,
    ledger,
    prices,
    priceId,
    async accountWith(...amounts: bigint[]): Promise<AccountId> {
      const accountId = newAccountId()
      const given = amounts.map(
        (amount) => ({ op: 'grant', accountId, kind: 'purchased', amount, actor: 'test' }) as const,
      )
      await ledger.amend(given)
      return accountId
    },
    /** A completion that was quoted with a price of its own, and used something. */
    async endedAt(price: Price, usage: Usage, cost: bigint, admission: Partial<Admission> = {}): Promise<Receipt> {
      const accountId = await this.accountWith(1_000n)
      const { id: priceId } = await prices.set('other', price)
      const id = await this.admit(accountId, { priceId, ...admission })
      await endings.submit({ id, accountId, outcome: { ...completed, usage, cost } })
      return this.receiptFor(accountId, id)
    },
    async admit(accountId: AccountId, admission: Partial<Admission> = {}): Promise<CompletionId> {
      const id = newCompletionId()
      const asked = { ...plain, deadlineAt: Date.now() + 60_000, quote: 100n, least: 1n, priceId }
      const verdict = await admissions.submit({ id, accountId, keyId: newKeyId(), ...asked, ...admission })
      if (verdict.kind !== 'reserved') throw new Error(`nothing was reserved: ${verdict.kind}`)
      return id
    },
    async ended(accountId: AccountId, outcome: Partial<Outcome> = {}): Promise<CompletionId> {
      const id = await this.admit(accountId)
      await endings.submit({ id, accountId, outcome: { ...completed, ...outcome } })
      return id
    },
    answerFor: (accountId: AccountId, id: CompletionId) =>
      receiptOf({ completionRecords: createCompletionRecords(db), ledger, priceVersions: prices }, accountId, id),
    async receiptFor(accountId: AccountId, id: CompletionId): Promise<Receipt> {
      const answer = await this.answerFor(accountId, id)
      if (answer.kind !== 'receipt') throw new Error(`there is no receipt: ${answer.kind}`)
      return answer.receipt
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

const plain = {
  model: 'fast',
  stream: false,
  background: false,
  metadata: undefined,
  kept: undefined,
  idempotency: undefined,
}

/** Seven at 1.5, two at 0.5 and three at 2 are 17.5 microcredits. */
const completed: Outcome = {
  state: 'completed',
  usage: { inputTokens: 7, cachedInputTokens: 2, outputTokens: 3, source: 'reported' },
  cost: 18n,
  servedBy: 'simulated/fast',
  choices: [],
  attempts: [1, 2].map((attempt) => ({ attempt, worker: 'w', startedAt: 1_000 * attempt })),
}

/** A hundred out are 194 microcredits more. */
const overdrawn = { usage: { ...completed.usage, outputTokens: 100 }, cost: 212n }

test('a receipt says what was used, at which price, how the cost comes from it, and which grants paid', async () => {
  const accountId = await fixture.accountWith(5n, 200n)
  const id = await fixture.ended(accountId)

  const receipt = await fixture.receiptFor(accountId, id)

  expect(receipt).toMatchObject({
    accountId,
    completion: { id, model: 'fast', stream: false },
    end: { state: 'completed', servedBy: 'simulated/fast', usage: completed.usage, attempts: 2, clampedTo: null },
    reservation: { quote: 100n, amount: 100n, state: 'settled' },
    price: { id: fixture.priceId, model: 'fast', price },
    calculation: {
      batchDiscount: 0,
      parts: { input: 10_500_000n, cachedInput: 1_000_000n, output: 6_000_000n },
      total: 17_500_000n,
      roundedUp: 18n,
      rule: 'usage',
    },
    cost: 18n,
    charged: 18n,
    uncollected: 0n,
    refunded: 0n,
  })
  expect(receipt.entries.map(({ kind, amount, balanceAfter }) => [kind, amount, balanceAfter])).toEqual([
    ['charge', -5n, 0n],
    ['charge', -13n, 187n],
  ])
})

test('a receipt keeps to the price that was quoted, whatever the model costs now', async () => {
  const accountId = await fixture.accountWith(200n)
  const id = await fixture.ended(accountId)

  await fixture.prices.set('fast', { input: 9_000_000n, cachedInput: 9_000_000n, output: 9_000_000n })

  expect((await fixture.receiptFor(accountId, id)).price).toMatchObject({ id: fixture.priceId, price })
})

test('what an account could not pay is told apart from what it was charged', async () => {
  const accountId = await fixture.accountWith(110n)

  const id = await fixture.ended(accountId, overdrawn)

  const receipt = await fixture.receiptFor(accountId, id)
  expect(receipt).toMatchObject({ cost: 212n, charged: 110n, uncollected: 102n, calculation: { rule: 'usage' } })
  expect(receipt.entries).toMatchObject([
    { kind: 'charge', amount: -110n, completionId: id },
    { kind: 'uncollected', amount: -102n, grantId: null },
  ])
})

test('a refund joins the receipt of the completion that it is for', async () => {
  const accountId = await fixture.accountWith(5n, 200n)
  const [id] = [await fixture.ended(accountId), await fixture.ended(accountId)]
  const refund = { op: 'refund', accountId, completionId: id, actor: 'test', reason: 'It was nonsense.' } as const

  await fixture.ledger.amend([{ ...refund, amount: 4n }])
  await fixture.ledger.amend([refund])

  const receipt = await fixture.receiptFor(accountId, id)
  expect(receipt).toMatchObject({ cost: 18n, charged: 18n, refunded: 18n })
  expect(receipt.entries.map(({ kind, amount }) => [kind, amount])).toEqual([
    ['charge', -5n],
    ['charge', -13n],
    ['refund', 4n],
    ['refund', 9n],
    ['refund', 5n],
  ])
  expect(receipt.entries.at(-1)).toMatchObject({ actionId: expect.any(String), reason: 'It was nonsense.' })
})

test.each([
  ['free', 0n],
  ['capped', 17n],
  ['usage', 18n],
] as const)('a cost that comes about by the rule %s says so', async (rule, cost) => {
  const accountId = await fixture.accountWith(200n)

  const id = await fixture.ended(accountId, { cost })

  expect((await fixture.receiptFor(accountId, id)).calculation).toMatchObject({ roundedUp: 18n, rule })
})

/** All that can be used has a price of its own. */
const full = { ...price, cacheWrite: 2_500_000n, reasoning: 3_000_000n, image: 4_000_000n, request: 5_000_000n }
const everything: Usage = { ...completed.usage, cacheWriteTokens: 2, reasoningTokens: 5, images: 3 }

test('each kind of token, the images and the completion itself have their line', async () => {
  const { end, calculation, charged } = await fixture.endedAt(full, everything, 55n)

  expect(end.usage).toEqual(everything)
  expect({ calculation, charged }).toEqual({
    calculation: {
      batchDiscount: 0,
      parts: {
        input: 10_500_000n,
        cachedInput: 1_000_000n,
        cacheWrite: 5_000_000n,
        output: 6_000_000n,
        reasoning: 15_000_000n,
        images: 12_000_000n,
        request: 5_000_000n,
      },
      total: 54_500_000n,
      roundedUp: 55n,
      rule: 'usage',
    },
    charged: 55n,
  })
})

test.each([
  ['below it, by the rule minimum', 60_000_001n, 61n, 'minimum'],
  ['above it, by the usage', 54_500_000n, 55n, 'usage'],
] as const)('a minimum is what a completion costs that comes to less: one %s', async (_, minimum, cost, rule) => {
  const { calculation } = await fixture.endedAt({ ...full, minimum }, everything, cost)

  expect(calculation).toMatchObject({ total: 54_500_000n, roundedUp: cost, rule })
})

test('what was free has no minimum', async () => {
  const { calculation } = await fixture.endedAt({ ...full, minimum: 60_000_000n }, completed.usage, 0n)

  expect(calculation).toMatchObject({ roundedUp: 60n, rule: 'free' })
})

test('a line of a batch pays so many percent less of every price, the minimum as well', async () => {
  const batchPrice = { ...full, minimum: 30_000_001n, batchDiscount: 50 }

  const [line, single] = [
    await fixture.endedAt(batchPrice, everything, 28n, { batchDiscount: 50 }),
    await fixture.endedAt(batchPrice, everything, 55n),
  ]

  expect(line).toMatchObject({
    completion: { batchDiscount: 50 },
    price: { price: batchPrice },
    calculation: { batchDiscount: 50, parts: { input: 5_250_000n, request: 2_500_000n }, total: 27_250_000n },
  })
  expect(line.calculation).toMatchObject({ roundedUp: 28n, rule: 'usage' })
  expect(single.calculation).toMatchObject({ batchDiscount: 0, roundedUp: 55n })
})

test('a completion that failed has a receipt over nothing', async () => {
  const accountId = await fixture.accountWith(200n)
  const usage = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, source: 'reported' } as const
  const error = { code: 'backend_error', message: 'The backend failed.' } as const

  const id = await fixture.ended(accountId, { state: 'failed', usage, cost: 0n, servedBy: undefined, error })

  expect(await fixture.receiptFor(accountId, id)).toMatchObject({
    end: { state: 'failed', errorCode: 'backend_error', servedBy: null },
    reservation: { state: 'released' },
    calculation: { roundedUp: 0n, rule: 'usage' },
    charged: 0n,
    entries: [],
  })
})

test('there is no receipt while a completion runs, for another account, or of an unknown completion', async () => {
  const [accountId, stranger] = [await fixture.accountWith(200n), await fixture.accountWith(200n)]
  const [running, ended] = [await fixture.admit(accountId), await fixture.ended(accountId)]

  expect(await fixture.answerFor(accountId, running)).toEqual({ kind: 'not_ended' })
  expect(await fixture.answerFor(stranger, ended)).toEqual({ kind: 'not_found' })
  expect(await fixture.answerFor(stranger, running)).toEqual({ kind: 'not_found' })
  expect(await fixture.answerFor(accountId, newCompletionId())).toEqual({ kind: 'not_found' })
})

test('a completion whose month was taken out of the books has none any more', async () => {
  const accountId = await fixture.accountWith(200n)
  const id = await fixture.ended(accountId)

  await sql`delete from ledger.reservation where id = ${uuidOf(id)}`.execute(fixture.db)

  expect(await fixture.answerFor(accountId, id)).toEqual({ kind: 'archived' })
})

test.each([
  ['less charged than was booked', 'cost = cost - 1, captured = captured - 1'],
  ['less written off than was booked', 'cost = cost - 1'],
])('books that disagree give no receipt: %s', async (_, damage) => {
  const accountId = await fixture.accountWith(110n)
  const id = await fixture.ended(accountId, overdrawn)

  await sql`update ledger.reservation set ${sql.raw(damage)} where id = ${uuidOf(id)}`.execute(fixture.db)

  await expect(fixture.receiptFor(accountId, id)).rejects.toThrow(`the entries of completion ${id} are not`)
})

test('a cost that is more than usage and price come to gives no receipt', async () => {
  const accountId = await fixture.accountWith(200n)

  const id = await fixture.ended(accountId, { cost: 19n })

  await expect(fixture.receiptFor(accountId, id)).rejects.toThrow(`completion ${id} cost more than`)
})
