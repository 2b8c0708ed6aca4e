import { type Weir, openWeir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, quick } from './testing/catalogue.ts'
import { asking, customerOf } from './testing/customer.ts'
import { refusalOf } from './testing/failure.ts'
import { callsOf, keyIdOf } from './testing/operator.ts'

let weir: Weir

/** A hundredth of a credit for each token that goes out, a thousandth for each that comes in. Answers want 24 tokens. */
const dear = { price: { input: 1, output: 10, per: 1_000 }, max_output_tokens: 1_000 }
/** The same, and the prompt is free. */
const free = { price: { input: 0, output: 10, per: 1_000 }, max_output_tokens: 1_000 }

beforeAll(async () => {
  weir = await openWeir({ config: catalogueOf({ dear: quick, free: quick }, { dear, free }) })
})
afterAll(() => weir?.[Symbol.asyncDispose]())

async function clampingAccount(credits: number) {
  const customer = await customerOf(weir, { credits })
  const admin = callsOf(weir)
  const patched = await admin.patch(`accounts/${customer.accountId}`, { shortage: 'clamp' })
  expect(patched).toMatchObject({ status: 200, body: { shortage: 'clamp', frozen: false } })
  return { ...customer, admin }
}

type Clamped = { clamped_max_tokens?: number; completion_tokens: number; credits_consumed: number }

test('an account that clamps gets the answer it can pay for, and is told', async () => {
  const { client, credits } = await clampingAccount(0.1)

  const { data, response } = await client.chat.completions.create(asking('free')).withResponse()

  expect(response.headers.get('x-weir-clamped-max-tokens')).toBe('10')
  expect(data.usage as unknown as Clamped).toMatchObject({
    clamped_max_tokens: 10,
    completion_tokens: 10,
    credits_consumed: 0.1,
  })
  expect(data.choices[0]?.finish_reason).toBe('length')
  expect(await credits()).toEqual({ balance: 0, reserved: 0, available: 0 })
  expect(await refusalOf(client.chat.completions.create(asking('free')))).toMatchObject({
    status: 402,
    code: 'credit_balance_exhausted',
  })
})

test('a stream is clamped alike: its header comes before the first byte, its usage in the last chunk', async () => {
  const { client, credits } = await clampingAccount(0.05)
  const request = { ...asking('free'), stream: true, stream_options: { include_usage: true } } as const

  const { data, response } = await client.chat.completions.create(request).withResponse()
  expect(response.headers.get('x-weir-clamped-max-tokens')).toBe('5')
  const chunks = []
  for await (const chunk of data) chunks.push(chunk)

  expect(chunks.at(-1)?.usage as unknown as Clamped).toMatchObject({ clamped_max_tokens: 5, completion_tokens: 5 })
  expect(chunks.findLast(({ choices }) => choices.length > 0)?.choices[0]?.finish_reason).toBe('length')
  expect(await credits()).toMatchObject({ balance: 0, reserved: 0 })
})

test('what the prompt costs is counted before the answer is clamped, and the balance never goes below zero', async () => {
  const { client, credits, charges } = await clampingAccount(0.4)
  const prompt = 'the water of the river bends '.repeat(8)

  const { data, response } = await client.chat.completions.create(asking('dear', prompt)).withResponse()

  const cap = Number(response.headers.get('x-weir-clamped-max-tokens'))
  const { prompt_tokens } = data.usage!
  expect(cap).toBeGreaterThan(0)
  expect(cap * 0.01 + prompt_tokens * 0.001).toBeLessThanOrEqual(0.4)
  expect((await charges()).length).toBe(1)
  expect((await credits()).balance).toBeGreaterThanOrEqual(0)
})

test('an answer that is paid for in full is not called clamped', async () => {
  const { client } = await clampingAccount(100)

  const { data, response } = await client.chat.completions.create(asking('free')).withResponse()

  expect(response.headers.has('x-weir-clamped-max-tokens')).toBe(false)
  expect(data.usage).not.toHaveProperty('clamped_max_tokens')
})

test('an account that cannot pay for a single token is refused even where it clamps', async () => {
  const { client, charges } = await clampingAccount(0.009999)

  expect(await refusalOf(client.chat.completions.create(asking('free')))).toMatchObject({ status: 402 })
  expect(await charges()).toEqual([])
})

test('many clamped answers at once spend what there is and not a microcredit more', async () => {
  const { client, credits, charges } = await clampingAccount(0.1)
  const ask = () => client.chat.completions.create({ ...asking('free'), max_completion_tokens: 4 })

  const outcomes = await Promise.allSettled(Array.from({ length: 10 }, ask))

  const served = outcomes.filter(({ status }) => status === 'fulfilled').length
  expect((await charges()).toSorted()).toEqual([0.02, 0.04, 0.04])
  expect(served).toBe(3)
  expect(await credits()).toEqual({ balance: 0, reserved: 0, available: 0 })
})

test('an account refuses by default, and may do so again', async () => {
  const { client, accountId, admin } = await clampingAccount(0.1)
  await admin.patch(`accounts/${accountId}`, { shortage: 'refuse' })

  const refusal = await refusalOf(client.chat.completions.create(asking('free')))

  expect(refusal).toMatchObject({ status: 402, code: 'credit_balance_exhausted', type: 'insufficient_quota' })
  expect(refusal.error).toMatchObject({ balance: 0.1, available: 0.1, reserved: 0, needed: 10, waiting_helps: false })
})

test('a key spends its limit and no more, and the account has more to spend', async () => {
  const { accountId, client, credits } = await customerOf(weir, { credits: 1 })
  const admin = callsOf(weir)
  const limits = `accounts/${accountId}/keys/${await keyIdOf(admin, accountId)}/limits`
  const ask = () => client.chat.completions.create({ ...asking('free'), max_completion_tokens: 10 })

  expect(await admin.put(limits, { day: 0.15, total: '5' })).toMatchObject({
    status: 200,
    body: {
      object: 'key_limits',
      limits: [
        { period: 'day', credits: 0.15, spent: 0, reserved: 0 },
        { period: 'total', credits: 5, spent: 0, reserved: 0 },
      ],
    },
  })
  await ask()
  const refusal = await refusalOf(ask())

  expect(refusal).toMatchObject({ status: 402, code: 'key_limit_exceeded', type: 'insufficient_quota' })
  expect(refusal.error).toMatchObject({ period: 'day', available: 0.05, needed: 0.1 })
  expect((await credits()).available).toBe(0.9)
  expect((await admin.get(limits)).body).toMatchObject({
    limits: [
      { period: 'day', spent: 0.1 },
      { period: 'total', spent: 0.1 },
    ],
  })

  expect((await admin.put(limits, { day: null })).body).toMatchObject({ limits: [{ period: 'total', credits: 5 }] })
  await ask()
  expect((await credits()).available).toBe(0.8)
})

test('a key of another account has no limits to be seen or set', async () => {
  const [mine, theirs] = await Promise.all([customerOf(weir), customerOf(weir)])
  const admin = callsOf(weir)
  const limits = `accounts/${mine.accountId}/keys/${await keyIdOf(admin, theirs.accountId)}/limits`

  expect(await admin.get(limits)).toMatchObject({ status: 404, body: { error: { param: 'key_id' } } })
  expect(await admin.put(limits, { day: 1 })).toMatchObject({ status: 404, body: { error: { param: 'key_id' } } })
})
