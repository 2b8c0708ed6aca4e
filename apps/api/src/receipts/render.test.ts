import type { Receipt } from '@weir/completions'
import { newAccountId, newActionId, newCompletionId, newGrantId, newKeyId, newPriceId } from '@weir/contracts'
import { expect, test } from 'vitest'
import { renderReceipt } from './render.ts'
import { SignedReceipt } from './schema.ts'

const at = new Date('2026-03-01T12:00:00.000Z')
const [id, accountId, keyId, priceId] = [newCompletionId(), newAccountId(), newKeyId(), newPriceId()]
const [grantId, actionId] = [newGrantId(), newActionId()]

const receipt: Receipt = {
  accountId,
  completion: {
    id,
    keyId,
    model: 'fast',
    stream: true,
    background: false,
    metadata: {},
    webhookUrl: undefined,
    createdAt: at,
    deadlineAt: at,
    ofBatch: true,
    batchDiscount: 50,
    isDeleted: false,
  },
  end: {
    state: 'cancelled',
    endedAt: at,
    usage: {
      inputTokens: 7,
      cachedInputTokens: 2,
      cacheWriteTokens: 4,
      outputTokens: 3,
      reasoningTokens: 5,
      images: 6,
      source: 'estimated',
    },
    charged: 13n,
    servedBy: 'gpu/small',
    errorCode: 'cancelled',
    attempts: 2,
    attemptLog: [],
    clampedTo: 100,
  },
  reservation: {
    id,
    accountId,
    keyId,
    quote: 100n,
    amount: 60n,
    priceId,
    state: 'settled',
    cost: 18n,
    charged: 13n,
    createdAt: at,
    closedAt: at,
  },
  price: {
    id: priceId,
    model: 'fast',
    price: { input: 1_500_001n, cachedInput: 1n, output: 2_000_000_000_000_000n, image: 10n ** 15n, batchDiscount: 50 },
    effectiveAt: at,
    source: 'admin',
  },
  calculation: {
    batchDiscount: 50,
    parts: {
      input: 10_500_007n,
      cachedInput: 2n,
      cacheWrite: 0n,
      output: 6_000_000_000_000_000n,
      reasoning: 1n,
      images: 10n ** 12n,
      request: 0n,
    },
    total: 6_001_000_010_500_010n,
    roundedUp: 6_000_000_011n,
    rule: 'free',
  },
  cost: 18n,
  charged: 13n,
  uncollected: 5n,
  refunded: 13n,
  entries: [
    {
      sequence: 8,
      kind: 'uncollected',
      amount: -5n,
      grantId: null,
      completionId: id,
      actionId: null,
      balanceAfter: null,
      reason: null,
      createdAt: at,
    },
    {
      sequence: 9,
      kind: 'refund',
      amount: 13n,
      grantId,
      completionId: null,
      actionId,
      balanceAfter: 8_589_934_591_999_999n,
      reason: 'It was nonsense.',
      createdAt: at,
    },
  ],
}

test('a receipt looks as the reference says, field by field', () => {
  const rendered = { ...renderReceipt(receipt, at), signature: '' }

  expect(SignedReceipt.strict().parse(rendered)).toEqual(rendered)
  expect(rendered).toMatchObject({
    completion_id: id,
    account_id: accountId,
    key_id: keyId,
    state: 'cancelled',
    usage: {
      input_tokens: 7,
      cached_input_tokens: 2,
      cache_write_tokens: 4,
      output_tokens: 3,
      reasoning_tokens: 5,
      images: 6,
      source: 'estimated',
    },
    quote: 0.0001,
    reservation: { credits: 0.00006, clamped_to: 100, state: 'settled' },
    cost: 0.000018,
    charged: 0.000013,
    uncollected: 0.000005,
    refunded: 0.000013,
    entries: [
      { kind: 'uncollected', credits: -0.000005, completion_id: id, action_id: null, grant_id: null },
      { kind: 'refund', credits: 0.000013, completion_id: null, action_id: actionId, grant_id: grantId },
    ],
  })
})

const nothing = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, source: 'reported' } as const

test.each([
  ['failed', 'none'],
  ['expired', 'none'],
  ['cancelled', 'none'],
  // Its backend said so.
  ['completed', 'reported'],
] as const)('the source of no tokens at all is, for a completion that is %s: %s', (state, source) => {
  const rendered = renderReceipt({ ...receipt, end: { ...receipt.end, state, usage: nothing } }, at)

  expect(rendered.usage).toMatchObject({ input_tokens: 0, reasoning_tokens: 0, images: 0, source })
  expect(SignedReceipt.parse({ ...rendered, signature: '' }).usage.source).toBe(source)
})

test.each(['cachedInputTokens', 'cacheWriteTokens', 'outputTokens', 'reasoningTokens'])(
  'a completion that was cancelled with %s alone has been counted',
  (kind) => {
    const { usage } = renderReceipt({ ...receipt, end: { ...receipt.end, usage: { ...nothing, [kind]: 1 } } }, at)

    expect(usage.source).toBe('reported')
  },
)

test('prices and what they come to are exact to the picocredit', () => {
  const { price, calculation } = renderReceipt(receipt, at)

  expect(price).toMatchObject({
    input: '1.500001',
    cached_input: '0.000001',
    output: '2000000000',
    per: 1_000_000,
    image: '1000',
    batch_discount: 50,
  })
  expect(calculation).toEqual({
    batch_discount: 50,
    input: '0.000010500007',
    cached_input: '0.000000000002',
    cache_write: '0',
    output: '6000',
    reasoning: '0.000000000001',
    images: '1',
    request: '0',
    total: '6001.00001050001',
    rounded_up: 6000.000011,
    rule: 'free',
  })
})

test('a price says what everything costs, also what nobody has said of it', () => {
  const { price } = renderReceipt(receipt, at)

  expect(price).toMatchObject({ cache_write: '1.500001', reasoning: '2000000000', request: '0', minimum: '0' })
})

test('amounts are numbers without an exponent, exact up to eight thousand million credits', () => {
  const text = JSON.stringify(renderReceipt(receipt, at))

  expect(text).toContain('"credits":-0.000005,')
  expect(text).toContain('"balance_after":8589934591.999999,')
})

test('a completion from before prices had versions shows neither price nor calculation', () => {
  const rendered = renderReceipt({ ...receipt, price: undefined, calculation: undefined }, at)

  expect(rendered).toMatchObject({ price: null, calculation: null, cost: 0.000018 })
})
