import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageIdOf, newAccountId, newCompletionId } from '@weir/contracts'
import { CompactSign, exportJWK, generateKeyPair } from 'jose'
import { afterAll, expect, test } from 'vitest'
import { adminStandIn, checkoutWith, refused, weir } from '../testing/admin-stand-in.ts'

const folder = mkdtempSync(join(tmpdir(), 'weir-receipts-'))
afterAll(() => rmSync(folder, { recursive: true }))
const fileWith = (name: string, content: unknown): string => {
  const path = join(folder, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

const id = newCompletionId()
const { privateKey, publicKey } = await generateKeyPair('EdDSA')
const keySet = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'EdDSA', use: 'sig' }] }
const [keys, receipt] = [fileWith('keys.json', keySet), fileWith('receipt.json', await signed({ charged: 0.000005 }))]

async function signed(fields: object) {
  const content = {
    object: 'receipt',
    completion_id: id,
    account_id: newAccountId(),
    issued_at: '2026-03-01T12:00:00.000Z',
    model: 'fast',
    served_by: 'gpu/small',
    state: 'completed',
    ended_at: '2026-03-01T11:00:01.000Z',
    usage: { input_tokens: 1, cached_input_tokens: 0, output_tokens: 2, source: 'reported' },
    price: { id: 'price_1', input: '1', cached_input: '1', output: '2', per: 1_000_000 },
    quote: 0.001,
    reservation: { credits: 0.001 },
    calculation: {
      input: '0.000001',
      cached_input: '0',
      output: '0.000004',
      total: '0.000005',
      rounded_up: 0.000005,
      rule: 'usage',
    },
    cost: 0.000005,
    uncollected: 0,
    refunded: 0,
    entries: [{ kind: 'charge', credits: -0.000005 }],
    ...fields,
  }
  const jws = new CompactSign(new TextEncoder().encode(JSON.stringify(content)))
  const header = { alg: 'EdDSA', kid: 'k1', typ: 'weir-receipt' }
  return { ...content, signature: await jws.setProtectedHeader(header).sign(privateKey) }
}

test('a genuine receipt is shown as it was signed, without any server', async () => {
  const { exitCode, out, err } = await weir(['receipts', 'verify', receipt, '--keys', keys])

  expect({ exitCode, err }).toEqual({ exitCode: 0, err: 'The receipt is genuine and its sums are right.\n' })
  expect(out).toContain(`completion   ${id}\n`)
  expect(out).toContain('tokens       1 in, 0 cached, 2 out, reported\n')
  expect(out).toContain('charged      0.000005\nuncollected  0.000000\nrefunded     0.000000\n')
  expect(out).toContain('signed by    k1\n')
})

test('what a completion had of everything else is shown with its prices', async () => {
  const usage = { input_tokens: 1, cached_input_tokens: 0, output_tokens: 2, source: 'reported' }
  const more = { cache_write_tokens: 0, reasoning_tokens: 1, images: 2 }
  const price = { id: 'price_1', input: '1', cached_input: '1', cache_write: '1', output: '2', per: 1_000_000 }
  const prices = { ...price, reasoning: '3', image: '0.000001', request: '0.000002', minimum: '0.00002' }
  const sums = { cached_input: '0', cache_write: '0', output: '0.000004', reasoning: '0.000003' }
  const rest = { images: '0.000002', request: '0.000002', total: '0.000012', rounded_up: 0.00002, rule: 'minimum' }
  const charge = { cost: 0.00002, charged: 0.00002, entries: [{ kind: 'charge', credits: -0.00002 }] }
  const full = { usage: { ...usage, ...more }, price: { ...prices, batch_discount: 0 }, ...charge }
  const calculation = { batch_discount: 0, input: '0.000001', ...sums, ...rest }

  const file = fileWith('full.json', await signed({ ...full, calculation }))
  const { out } = await weir(['receipts', 'verify', file, '--keys', keys])

  expect(out).toContain('tokens       1 in, 0 cached, 2 out, 1 of reasoning, 2 images, reported\n')
  expect(out).toContain(
    'price        1 in, 1 cached, 2 out, 3 of reasoning, a million; 0.000001 an image, 0.000002 a completion, 0.00002 at least\n',
  )
})

test('to a program a genuine receipt is one line of JSON', async () => {
  const { out, err } = await weir(['--json', 'receipts', 'verify', receipt, '--keys', keys])

  expect({ said: JSON.parse(out), err }).toEqual({ said: { genuine: true, kid: 'k1', completion_id: id }, err: '' })
})

test('a forged receipt ends the command with 1 and says what was forged', async () => {
  const forged = fileWith('forged.json', { ...(await signed({ charged: 0.000005 })), charged: 0.000004 })

  const answer = await weir(['receipts', 'verify', forged, '--keys', keys])

  expect(answer).toEqual({
    exitCode: 1,
    out: '',
    err: 'weir: charged was changed: it shows 0.000004, and 0.000005 is what was signed.\n',
  })
})

test('a sum that is wrong under a genuine signature ends the command with 1', async () => {
  const wrong = fileWith('wrong.json', await signed({ charged: 0.000004 }))

  const { exitCode, err } = await weir(['receipts', 'verify', wrong, '--keys', keys])

  expect({ exitCode, err }).toEqual({ exitCode: 1, err: expect.stringMatching(/do not make up the cost/) })
})

test('without a file of keys those of the server are taken, or of any address that is named', async () => {
  await using server = await adminStandIn({ 'GET /.well-known/weir-receipt-keys.json': { body: keySet } })

  const byServer = await server.weir('receipts', 'verify', receipt)
  const byAddress = await weir([
    'receipts',
    'verify',
    receipt,
    '--keys',
    `${server.url}/.well-known/weir-receipt-keys.json`,
  ])

  const byHost = await weir(['receipts', 'verify', receipt, '--keys', server.url])

  expect([byServer.exitCode, byAddress.exitCode, byHost.exitCode]).toEqual([0, 0, 0])
  expect(server.asked.map(({ authorization }) => authorization)).toEqual([undefined, undefined, undefined])
})

test('a receipt is fetched with the key of its account and printed whole', async () => {
  const body = await signed({ charged: 0.000005 })
  await using server = await adminStandIn({ [`GET /v1/chat/completions/${id}/receipt`]: { body } })

  const { exitCode, out } = await server.weir('receipts', 'get', id, '--api-key', 'weir_sk_1')

  expect({ exitCode, got: JSON.parse(out) }).toEqual({ exitCode: 0, got: body })
  expect(server.asked[0]?.authorization).toBe('Bearer weir_sk_1')
  const asMessage = await server.weir('receipts', 'get', messageIdOf(id), '--api-key', 'weir_sk_1')
  expect(asMessage).toMatchObject({ exitCode: 0, out })
})

test('inside a checkout that runs Weir the key of its account is known, and goes to no other server', async () => {
  const body = await signed({ charged: 0.000005 })
  await using server = await adminStandIn({ [`GET /v1/chat/completions/${id}/receipt`]: { body } })
  using checkout = checkoutWith({ url: server.url, adminKey: 'from-file', apiKey: 'weir_sk_local' })

  const here = await weir(['receipts', 'get', id], checkout.folder)
  const elsewhere = await weir(['receipts', 'get', id, '--url', 'http://127.0.0.1:9'], checkout.folder)

  expect([here.exitCode, elsewhere.exitCode]).toEqual([0, 2])
  expect(server.asked.map(({ authorization }) => authorization)).toEqual(['Bearer weir_sk_local'])
})

test('what the server refuses is said in its words', async () => {
  const route = `GET /v1/chat/completions/${id}/receipt`
  await using server = await adminStandIn({ [route]: refused(409, 'The completion has not ended.') })

  const { exitCode, err } = await server.weir('receipts', 'get', id, '--api-key', 'k')

  expect({ exitCode, err }).toEqual({ exitCode: 1, err: 'weir: The completion has not ended. (409)\n' })
})

test('a receipt that the account of the key does not have is perhaps one of another account', async () => {
  const route = `GET /v1/chat/completions/${id}/receipt`
  await using server = await adminStandIn({ [route]: refused(404, 'The account of this API key has no such one.') })

  const { exitCode, err } = await server.weir('receipts', 'get', id, '--api-key', 'k')

  expect(exitCode).toBe(1)
  expect(err).toBe(
    "weir: The account of this API key has no such one. (404)\nIs it another account's? Pass a key of that one: --api-key or WEIR_API_KEY.\n",
  )
})

test('a receipt of what was free shows that nobody has counted', async () => {
  const usage = { input_tokens: 0, cached_input_tokens: 0, output_tokens: 0, source: 'none' }
  const nothing = { input: '0', cached_input: '0', output: '0', total: '0', rounded_up: 0, rule: 'usage' }
  const sums = { calculation: nothing, cost: 0, charged: 0, entries: [] }
  const free = fileWith('free.json', await signed({ ...sums, usage, state: 'failed' }))

  const { exitCode, out } = await weir(['receipts', 'verify', free, '--keys', keys])

  expect(exitCode).toBe(0)
  expect(out).toContain('tokens       not counted: nothing is charged\n')
})

test.each([
  { args: ['get', id], says: /Pass --api-key/ },
  { args: ['verify', receipt, '--keys', 'http://'], says: /'http:\/\/' is neither a file nor an http or https URL/ },
  { args: ['get', 'chatcmpl_1', '--api-key', 'k'], says: /'chatcmpl_1' must be an id such as chatcmpl_/ },
  { args: ['verify', join(folder, 'nothing.json'), '--keys', keys], says: /nothing.json cannot be read \(ENOENT\)/ },
  { args: ['verify', receipt, '--keys', receipt], says: /receipt.json holds no JSON Web Key Set/ },
])('a command that is wrong exits with 2: receipts $args', async ({ args, says }) => {
  const answer = await weir(['--url', 'http://127.0.0.1:9', 'receipts', ...args])

  expect(answer).toMatchObject({ exitCode: 2, err: expect.stringMatching(says) })
})
