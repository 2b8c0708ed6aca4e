import { countedInputBound, inputTokenBound } from '@weir/backends'
import { quoteOf } from '@weir/contracts'
import type { ReserveVerdict } from '@weir/ledger'
import { expect, test } from 'vitest'
import { type Quote, reserveQuote } from './quote.ts'
import { requestOf } from './testing/service.ts'

const price = { input: 1_000_000n, cachedInput: 1_000_000n, output: 2_000_000n }
const prose = 'The river bends because water is lazy and soil is soft. '.repeat(40)
const request = requestOf({ messages: [{ role: 'user', content: prose }], maxOutputTokens: 50 })
const byBytes = inputTokenBound(request)
const counted = await countedInputBound(request)
const costOf = (inputTokens: number, maxOutputTokens: number) => quoteOf(price, { inputTokens, maxOutputTokens })

/** What an account with so many credits answers, and what it was asked. */
function accountWith(available: bigint, { clamps = false } = {}) {
  const asked: Quote[] = []
  const reserve = async (quote: Quote): Promise<ReserveVerdict> => {
    asked.push(quote)
    if (quote.amount <= available) return { kind: 'reserved', amount: quote.amount }
    if (clamps && quote.least <= available) return { kind: 'reserved', amount: available }
    return { kind: 'insufficient_credits', available, reserved: 0n }
  }
  return { reserve, asked }
}

test('where there is enough, the bound by bytes is reserved and nothing is counted', async () => {
  const account = accountWith(1_000_000n)

  expect(await reserveQuote(price, request, Infinity, account.reserve)).toEqual({
    kind: 'reserved',
    quote: costOf(byBytes, 50),
    maxOutputTokens: 50,
  })
  expect(account.asked).toEqual([{ amount: costOf(byBytes, 50), least: costOf(byBytes, 1) }])
})

test('an account that covers what the prompt really has gets its whole answer', async () => {
  const account = accountWith(costOf(counted, 50))

  expect(await reserveQuote(price, request, Infinity, account.reserve)).toEqual({
    kind: 'reserved',
    quote: costOf(counted, 50),
    maxOutputTokens: 50,
  })
  expect(account.asked.map(({ amount }) => amount)).toEqual([costOf(byBytes, 50), costOf(counted, 50)])
})

test('no more input is reserved than the model can read', async () => {
  const account = accountWith(1_000_000n)
  const file = { type: 'file' as const, source: { kind: 'url' as const, url: 'https://papers.test/1.pdf' } }
  const long = { ...request, messages: [{ role: 'user' as const, content: [file] }] }

  await reserveQuote(price, long, 1_000, account.reserve)

  expect(account.asked).toEqual([{ amount: costOf(1_000, 50), least: costOf(1_000, 1) }])
})

test('an account that clamps gets as much as it can pay for', async () => {
  const account = accountWith(costOf(counted, 20), { clamps: true })

  expect(await reserveQuote(price, request, Infinity, account.reserve)).toEqual({
    kind: 'reserved',
    quote: costOf(counted, 20),
    maxOutputTokens: 20,
  })
})

test('a large output cap is clamped like a small one, however far its price is from what there is', async () => {
  const account = accountWith(costOf(counted, 20), { clamps: true })

  const reserved = await reserveQuote(price, { ...request, maxOutputTokens: 100_000 }, Infinity, account.reserve)

  expect(reserved).toMatchObject({ kind: 'reserved', maxOutputTokens: 20 })
})

test('an account that covers the bound of the input, but not the whole output, is clamped without asking again', async () => {
  const account = accountWith(costOf(byBytes, 20), { clamps: true })

  const reserved = await reserveQuote(price, request, Infinity, account.reserve)

  // All that there is was reserved, and no more may be charged; by the narrower bound it pays for more than 20 tokens.
  expect(reserved).toEqual({ kind: 'reserved', quote: costOf(byBytes, 20), maxOutputTokens: 50 })
  expect(account.asked).toHaveLength(1)
})

test('what cannot be paid for is refused with what was needed', async () => {
  const account = accountWith(costOf(counted, 50) - 1n)

  expect(await reserveQuote(price, request, Infinity, account.reserve)).toMatchObject({
    kind: 'refused',
    refusal: { kind: 'insufficient_credits' },
    needed: costOf(counted, 50),
  })
})

test('an account that is far from enough is refused without counting', async () => {
  const account = accountWith(1n)

  expect(await reserveQuote(price, request, Infinity, account.reserve)).toMatchObject({
    kind: 'refused',
    needed: costOf(byBytes, 50),
  })
  expect(account.asked).toHaveLength(1)
})

test('the counted bound lies between what a tokenizer finds and the bound by bytes', () => {
  expect(counted).toBeGreaterThan(prose.length / 6)
  expect(counted).toBeLessThan(byBytes / 2)
})
