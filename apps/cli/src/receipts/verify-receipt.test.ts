import { CompactSign, type JSONWebKeySet, exportJWK, generateKeyPair } from 'jose'
import { expect, test } from 'vitest'
import { verifyReceipt } from './verify-receipt.ts'

const signer = await generateKeyPair('EdDSA')
const stranger = await generateKeyPair('EdDSA')
const keySet = async ({ publicKey }: typeof signer): Promise<JSONWebKeySet> => ({
  keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'EdDSA', use: 'sig' }],
})
const keys = await keySet(signer)

/** Seven tokens at 1.5, two at 0.5 and three at 2 microcredits: 17.5, rounded up to 18, of which the account had 13. */
const receipt = {
  object: 'receipt',
  completion_id: 'chatcmpl_1',
  account_id: 'acct_1',
  key_id: 'key_1',
  issued_at: '2026-03-01T12:00:00.000Z',
  model: 'fast',
  served_by: 'gpu/small',
  stream: false,
  state: 'completed',
  error: null,
  attempts: 1,
  created_at: '2026-03-01T11:00:00.000Z',
  ended_at: '2026-03-01T11:00:01.000Z',
  usage: { input_tokens: 7, cached_input_tokens: 2, output_tokens: 3, source: 'reported' },
  price: {
    id: 'price_1',
    model: 'fast',
    effective_at: '2026-01-01T00:00:00.000Z',
    input: '1.5',
    cached_input: '0.5',
    output: '2',
    per: 1_000_000,
  },
  quote: 0.0001,
  reservation: { credits: 0.00001, clamped_to: 100, state: 'settled', created_at: 'then', ended_at: null },
  calculation: {
    input: '0.0000105',
    cached_input: '0.000001',
    output: '0.000006',
    total: '0.0000175',
    rounded_up: 0.000018,
    rule: 'usage',
  },
  cost: 0.000018,
  charged: 0.000013,
  uncollected: 0.000005,
  refunded: 0.000002,
  entries: [
    { object: 'entry', sequence: 7, kind: 'charge', credits: -0.000013, grant_id: 'grant_1', balance_after: 0 },
    { object: 'entry', sequence: 8, kind: 'uncollected', credits: -0.000005, grant_id: null, balance_after: null },
    { object: 'entry', sequence: 9, kind: 'refund', credits: 0.000002, grant_id: 'grant_1', balance_after: 0.000002 },
  ],
}

type Header = { kid?: string; typ?: string }

async function signed(content: object = receipt, { kid = 'k1', typ = 'weir-receipt' }: Header = {}, by = signer) {
  const jws = new CompactSign(new TextEncoder().encode(JSON.stringify(content)))
  return { ...content, signature: await jws.setProtectedHeader({ alg: 'EdDSA', kid, typ }).sign(by.privateKey) }
}

const verdictOn = (shown: unknown, by = keys) => verifyReceipt(JSON.stringify(shown, null, 2), by)

/** Every place in a value that holds no others, as a path. */
function leavesOf(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [path]
  return Object.entries(value).flatMap(([name, inner]) => leavesOf(inner, [...path, name]))
}

/** The same with one place changed a little. */
function changedAt(value: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined)
    return typeof value === 'number' ? value + 0.000001 : typeof value === 'boolean' ? !value : `${value}1`
  const copy = structuredClone(value) as Record<string, unknown>
  copy[name] = changedAt(copy[name], rest)
  return copy
}

const without = (value: unknown, [name = '', ...rest]: readonly string[]): unknown => {
  const copy = structuredClone(value) as Record<string, unknown>
  if (rest.length > 0) copy[name] = without(copy[name], rest)
  else delete copy[name]
  return copy
}

test('a receipt that its owner signed, with sums that are right, is genuine', async () => {
  const verdict = await verdictOn(await signed())

  expect(verdict).toMatchObject({ kind: 'genuine', kid: 'k1', receipt: { cost: 0.000018, charged: 0.000013 } })
})

test.each(leavesOf(receipt).map((path) => [path.join('.'), path] as const))(
  'a change to %s alone is found out and named, and so is leaving it out',
  async (name, path) => {
    const shown = await signed()

    const [changed, left] = [await verdictOn(changedAt(shown, path)), await verdictOn(without(shown, path))]

    const named = new RegExp(`^${name.replace(/\.(\d)/, '\\[$1\\]')} was changed: it shows .* is what was signed\\.$`)
    expect(changed).toEqual({ kind: 'refused', faults: [expect.stringMatching(named)] })
    expect(left).toEqual({ kind: 'refused', faults: [expect.stringMatching(named)] })
  },
)

test('what was added, moved to another place or written twice is found out', async () => {
  const shown = await signed()
  const twice = JSON.stringify(shown).replace('"charged":', '"charged":0,"charged":')
  const [first, ...others] = receipt.entries

  expect(await verdictOn({ ...shown, discount: 1 })).toMatchObject({ faults: [expect.stringContaining('discount')] })
  expect(await verdictOn({ ...shown, entries: [...others, first] })).toMatchObject({ kind: 'refused' })
  expect(await verdictOn({ ...shown, entries: { ...receipt.entries } })).toMatchObject({ kind: 'refused' })
  expect(await verifyReceipt(twice, keys)).toEqual({ kind: 'refused', faults: ['A field stands in it twice.'] })
})

test('a text with quotes and colons in it is no field', async () => {
  const shown = await signed({ ...receipt, model: 'a "b": \\" : {"c": 1}' })

  expect(await verdictOn(shown)).toMatchObject({ kind: 'genuine' })
})

test('a change to any byte of the signature is found out', async () => {
  const { signature, ...shown } = await signed()
  const parts = signature.split('.')

  for (const [at, part] of parts.entries()) {
    const other = part.startsWith('A') ? 'B' : 'A'
    const broken = parts.with(at, `${other}${part.slice(1)}`).join('.')
    expect(await verdictOn({ ...shown, signature: broken })).toMatchObject({ kind: 'refused' })
  }
})

test.each([
  ['another key under the same name', () => signed(receipt, {}, stranger), /^The signature is false/],
  ['a key that is not known', () => signed(receipt, { kid: 'k2' }), /^The key .* is not among the keys/],
  ['the right key, for another purpose', () => signed(receipt, { typ: 'JWT' }), /not that of a receipt/],
  ['nobody', async () => ({ ...receipt, signature: '' }), /^The signature is damaged/],
  ['nobody at all', async () => receipt, /^This is no receipt/],
  ['something that is no receipt', () => signed({ hello: 'world' }), /cannot be read/],
])('a receipt signed by %s is refused', async (_, shown, reason) => {
  expect(await verdictOn(await shown())).toEqual({ kind: 'refused', faults: [expect.stringMatching(reason)] })
})

test('an unsigned token and one with a secret in the place of the key are refused', async () => {
  const { signature } = await signed()
  const [, payload] = signature.split('.')
  const encoded = (header: object) => Buffer.from(JSON.stringify(header)).toString('base64url')
  const secret = new TextEncoder().encode(keys.keys[0]!.x!)
  const hmac = await new CompactSign(new TextEncoder().encode(JSON.stringify(receipt)))
    .setProtectedHeader({ alg: 'HS256', kid: 'k1', typ: 'weir-receipt' })
    .sign(secret)

  for (const forged of [`${encoded({ alg: 'none', kid: 'k1', typ: 'weir-receipt' })}.${payload}.`, hmac]) {
    expect(await verdictOn({ ...receipt, signature: forged })).toMatchObject({ kind: 'refused' })
  }
})

const wrongSums: [string, object, RegExp][] = [
  [
    'cost',
    { cost: 0.000019, uncollected: 0.000006 },
    /come to 0.000018 credits, and a cost of 0.000019 does not follow/,
  ],
  ['usage', { usage: { ...receipt.usage, output_tokens: 2 } }, /output was not multiplied rightly/],
  ['price', { price: { ...receipt.price, cached_input: '0.6' } }, /cached input was not multiplied rightly/],
  ['finest price', { price: { ...receipt.price, input: '1.500001' } }, /^The input was not multiplied rightly/],
  ['total', { calculation: { ...receipt.calculation, total: '0.0000174' } }, /^The total is not the sum/],
  ['rounding', { calculation: { ...receipt.calculation, rounded_up: 0.000017 } }, /not to what the calculation says/],
  ['free', { calculation: { ...receipt.calculation, rule: 'free' } }, /does not follow by the rule free/],
  ['capped', { calculation: { ...receipt.calculation, rule: 'capped' } }, /does not follow by the rule capped/],
  ['charged', { charged: 0.000014 }, /do not make up the cost/],
  ['uncollected', { uncollected: 0.000004 }, /do not make up the cost/],
  ['entries', { entries: receipt.entries.slice(1) }, /charges among the entries/],
  ['written off', { entries: receipt.entries.toSpliced(1, 1) }, /do not show what was not collected/],
  ['refunds', { entries: receipt.entries.slice(0, 2) }, /refunds among the entries/],
  ['too much refunded', { refunded: 0.000014 }, /More was refunded/],
  ['reservation', { quote: 0.000009 }, /More was reserved than quoted/],
  ['tokens from nowhere', { usage: { ...receipt.usage, source: 'none' } }, /tokens that nobody has counted/],
  ['no amount', { cost: 0.0000185 }, /0.0000185 is no amount of credits/],
]

test.each(wrongSums)('even a genuine signature does not make a wrong sum right: %s', async (_, wrong, reason) => {
  const verdict = await verdictOn(await signed({ ...receipt, ...wrong }))

  expect(verdict).toEqual({ kind: 'refused', faults: expect.arrayContaining([expect.stringMatching(reason)]) })
})

test('sums are exact where floating point is not', async () => {
  const million = { input_tokens: 9_007_199_254, cached_input_tokens: 0, output_tokens: 0, source: 'reported' }
  const price = { ...receipt.price, input: '999.999999' }
  // 9007199254 × 999999999 picocredits: nineteen digits.
  const total = '9007199.244992800746'
  const calculation = {
    input: total,
    cached_input: '0',
    output: '0',
    total,
    rounded_up: 9_007_199.244993,
    rule: 'usage',
  }
  const entries = [{ kind: 'charge', credits: -9_007_199.244993 }]
  const sums = {
    cost: 9_007_199.244993,
    charged: 9_007_199.244993,
    uncollected: 0,
    refunded: 0,
    quote: 9_007_200,
    entries,
  }

  const verdict = await verdictOn(await signed({ ...receipt, ...sums, usage: million, price, calculation }))

  expect(verdict).toMatchObject({ kind: 'genuine' })
})

test('a receipt from before prices had versions is genuine though nobody can compute it again', async () => {
  const verdict = await verdictOn(await signed({ ...receipt, price: null, calculation: null }))

  expect(verdict).toMatchObject({ kind: 'genuine', receipt: { price: null } })
})

test('nothing in a forged receipt can play tricks with the terminal', async () => {
  const { faults } = (await verdictOn({ ...(await signed()), model: 'a\u001b[2Jb\u009b1mc\u202ed' })) as {
    faults: string[]
  }

  expect(faults.join()).not.toMatch(/[\p{Cc}\p{Cf}]/u)
})

/** With a price for everything, half of it as a line of a batch; before that there were only three kinds of tokens. */
const full = {
  ...receipt,
  usage: {
    ...receipt.usage,
    cache_write_tokens: 2,
    reasoning_tokens: 5,
    images: 3,
  },
  price: {
    ...receipt.price,
    cache_write: '2.5',
    reasoning: '3',
    image: '0.000004',
    request: '0.000005',
    minimum: '0.00003',
    batch_discount: 50,
  },
  calculation: {
    batch_discount: 50,
    input: '0.00000525',
    cached_input: '0.0000005',
    cache_write: '0.0000025',
    output: '0.000003',
    reasoning: '0.0000075',
    images: '0.000006',
    request: '0.0000025',
    total: '0.00002725',
    rounded_up: 0.000028,
    rule: 'usage',
  },
  cost: 0.000028,
  charged: 0.000028,
  uncollected: 0,
  refunded: 0,
  reservation: { ...receipt.reservation, credits: 0.0001 },
  entries: [{ kind: 'charge', credits: -0.000028 }],
}

test('a receipt over every kind of token, images, the request and a discount is computed again', async () => {
  expect(await verdictOn(await signed(full))).toMatchObject({ kind: 'genuine' })
})

test('a minimum is the cost of a completion that comes to less', async () => {
  const price = { ...full.price, minimum: '0.0001' }
  const costs = { cost: 0.00005, charged: 0.00005, entries: [{ kind: 'charge', credits: -0.00005 }] }
  const by = (rule: string) => ({
    ...full,
    ...costs,
    price,
    calculation: { ...full.calculation, rounded_up: 0.00005, rule },
  })

  expect(await verdictOn(await signed(by('minimum')))).toMatchObject({ kind: 'genuine' })
  expect(await verdictOn(await signed(by('usage')))).toMatchObject({
    faults: [expect.stringContaining('does not follow by the rule usage')],
  })
  expect(
    await verdictOn(await signed({ ...full, calculation: { ...full.calculation, rule: 'minimum' } })),
  ).toMatchObject({ faults: [expect.stringContaining('does not follow by the rule minimum')] })
})

test.each([
  ['cache_write', 'The cache write was not'],
  ['reasoning', 'The reasoning was not'],
  ['images', 'The part of the images was not'],
  ['request', 'The completion itself has another price'],
])('a calculation whose %s is wrong is refused under any signature', async (field, sentence) => {
  const calculation = { ...full.calculation, [field]: '0.000001' }

  expect(await verdictOn(await signed({ ...full, calculation }))).toMatchObject({
    kind: 'refused',
    faults: [expect.stringContaining(sentence)],
  })
})

test('a discount that the price does not give is refused', async () => {
  const price = { ...full.price, batch_discount: 0 }

  expect(await verdictOn(await signed({ ...full, price }))).toMatchObject({
    faults: ['Its discount is not the one of its price.'],
  })
})
