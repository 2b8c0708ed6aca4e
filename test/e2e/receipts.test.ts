import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { newCompletionId } from '@weir/contracts'
import { type Weir, openWeir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, openai, quick } from './testing/catalogue.ts'
import { asking, customerOf } from './testing/customer.ts'
import { failureOf } from './testing/failure.ts'
import { callsOf, keyIdOf } from './testing/operator.ts'
import { patiently } from './testing/patiently.ts'
import { type Upstream, openUpstream } from './testing/upstream.ts'

/** A report of more tokens counts for none, and we count ourselves. */
const MOST_THAT_IS_BELIEVED = { prompt: 1_000_000_000, completion: 1_000_000_000 }

const program = fileURLToPath(new URL('../../apps/cli/src/main.ts', import.meta.url))

let upstream: Upstream
let weir: Weir
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-receipts-'))
  upstream = await openUpstream()
  weir = await openWeir({
    config: catalogueOf({ quick, upstream: openai(upstream), refusing: { ...quick, fault: 'refuse' } }),
    apis: 2,
    apiEnv: { WEIR_DISCONNECT_GRACE_MS: '50' },
    workerEnv: { WEIR_MAX_ATTEMPTS: '2' },
  })
})
afterAll(async () => {
  await weir?.[Symbol.asyncDispose]()
  await upstream?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

test('the receipt of a plain completion says what it used, at which price, and what it was charged', async () => {
  const { client, apiKey } = await customerOf(weir)
  const { id, usage } = await client.chat.completions.create(asking('quick'))

  const receipt = await receiptOf(apiKey, id)

  // Five tokens in at one and twenty-four out at two thousandths of a credit.
  expect(receipt).toMatchObject({
    object: 'receipt',
    completion_id: id,
    model: 'quick',
    served_by: 'quick/words',
    stream: false,
    state: 'completed',
    error: null,
    attempts: 1,
    usage: { input_tokens: 5, cached_input_tokens: 0, output_tokens: 24, source: 'reported' },
    price: { model: 'quick', input: '1000', cached_input: '1000', output: '2000', per: 1_000_000 },
    reservation: { clamped_to: null, state: 'settled' },
    calculation: {
      input: '0.005',
      cached_input: '0',
      output: '0.048',
      total: '0.053',
      rounded_up: 0.053,
      rule: 'usage',
    },
    cost: 0.053,
    charged: 0.053,
    uncollected: 0,
    refunded: 0,
  })
  expect(receipt.charged).toBe((usage as unknown as { credits_consumed: number }).credits_consumed)
  expect(receipt.quote).toBeGreaterThanOrEqual(receipt.cost)
  await expectGenuine(receipt)
})

test('the receipt of a streamed completion shows the entries that stand in the books', async () => {
  const { client, apiKey } = await customerOf(weir)
  const asked = client.chat.completions.create({ ...asking('upstream'), stream: true })
  const call = await upstream.nextCall()
  call.say('At last.')
  call.finish(MOST_THAT_IS_BELIEVED)
  let id = ''
  for await (const chunk of await asked) id = chunk.id

  const receipt = await receiptOf(apiKey, id)

  // The backend told of more than can be: what the request could use at most is charged.
  expect(receipt).toMatchObject({ stream: true, state: 'completed', calculation: { rule: 'usage' } })
  expect(receipt.cost).toBe(receipt.quote)
  expect(receipt.entries).toEqual(await entriesOf(apiKey, id))
  expect(receipt.entries).toMatchObject([{ kind: 'charge', credits: -receipt.charged, completion_id: id }])
  await expectGenuine(receipt)
})

test('a clamped answer is charged what was reserved and no more, whatever its backend claims, and its key keeps its limit', async () => {
  const { client, apiKey, accountId } = await customerOf(weir)
  const admin = callsOf(weir)
  const limits = `accounts/${accountId}/keys/${await keyIdOf(admin, accountId)}/limits`
  await admin.patch(`accounts/${accountId}`, { shortage: 'clamp' })
  await admin.put(limits, { day: 0.4 })
  const answer = client.chat.completions.create(asking('upstream'))
  const call = await upstream.nextCall()
  call.say('At last.')
  call.finish(MOST_THAT_IS_BELIEVED)
  const { id } = await answer

  const receipt = await receiptOf(apiKey, id)

  expect(receipt).toMatchObject({ quote: expect.any(Number), cost: receipt.reservation.credits, uncollected: 0 })
  expect(receipt.reservation).toMatchObject({ credits: 0.4, clamped_to: expect.any(Number) })
  expect((await admin.get(limits)).body).toMatchObject({ limits: [{ credits: 0.4, spent: 0.4 }] })
  expect((await callsOf(weir, apiKey).get('usage')).status).toBe(200)
  expect((await admin.get(`ledger/check?account_id=${accountId}`)).body).toMatchObject({ ok: true })
  await expectGenuine(receipt)
})

test('a stream that its client leaves has a receipt over what was generated', async () => {
  const { client, apiKey } = await customerOf(weir)
  const asked = client.chat.completions.create({ ...asking('upstream'), stream: true })
  const call = await upstream.nextCall()
  call.say('One two three four')
  let id = ''
  for await (const chunk of await asked) {
    id = chunk.id
    if (chunk.choices[0]?.delta.content) break
  }

  await call.closed
  await expect.poll(() => statusOf(apiKey, id), patiently).toBe(200)

  const receipt = await receiptOf(apiKey, id)
  expect(receipt).toMatchObject({
    state: 'cancelled',
    error: 'cancelled',
    usage: { input_tokens: 6, output_tokens: 4, source: 'estimated' },
    cost: 0.014,
    charged: 0.014,
  })
  await expectGenuine(receipt)
})

test('a completion that failed has a receipt over nothing, with the attempts that it took', async () => {
  const { client, apiKey } = await customerOf(weir)
  const failure = await failureOf(client.chat.completions.create(asking('refusing')))
  const { completion_id: id } = failure.error as { completion_id: string }

  const receipt = await receiptOf(apiKey, id)

  const nothing = { cost: 0, charged: 0, uncollected: 0, refunded: 0, entries: [], served_by: null }
  expect(receipt).toMatchObject({
    state: 'failed',
    error: failure.code,
    reservation: { state: 'released' },
    ...nothing,
  })
  expect(receipt.attempts).toBeGreaterThanOrEqual(1)
  await expectGenuine(receipt)
})

test('a receipt says to what an answer was clamped because its account could not pay for more', async () => {
  const { client, apiKey, accountId } = await customerOf(weir, { credits: 0.5 })
  await askAdmin('PATCH', `accounts/${accountId}`, { shortage: 'clamp' })

  const { id } = await client.chat.completions.create(asking('quick'))

  const receipt = await receiptOf(apiKey, id)
  expect(receipt).toMatchObject({ reservation: { credits: 0.5, clamped_to: expect.any(Number) }, charged: 0.053 })
  expect(receipt.quote).toBeGreaterThan(2)
  await expectGenuine(receipt)
})

test('a refund joins the receipt, which is genuine before it and after', async () => {
  const { client, apiKey, accountId } = await customerOf(weir)
  const { id } = await client.chat.completions.create(asking('quick'))
  const before = await receiptOf(apiKey, id)

  const refund = { completion_id: id, credits: 0.05, reason: 'It was nonsense.' }
  await askAdmin('POST', `accounts/${accountId}/refunds`, refund)

  const after = await receiptOf(apiKey, id)
  expect(after).toMatchObject({ cost: 0.053, charged: 0.053, refunded: 0.05 })
  expect(after.entries.map(({ kind, credits }) => [kind, credits])).toEqual([
    ['charge', -0.053],
    ['refund', 0.05],
  ])
  for (const receipt of [before, after]) await expectGenuine(receipt)
})

test('a receipt that somebody has improved is refused, offline, with the place named', async () => {
  const { client, apiKey } = await customerOf(weir)
  const { id } = await client.chat.completions.create(asking('quick'))
  const receipt = await receiptOf(apiKey, id)

  const { usage } = receipt
  const refusal = verify({ ...receipt, usage: { ...usage, output_tokens: 23 } })

  await expect(refusal).rejects.toMatchObject({
    code: 1,
    stderr: 'weir: usage.output_tokens was changed: it shows 23, and 24 is what was signed.\n',
  })
})

test('a receipt is fetched by the command line, and verified from a pipe', async () => {
  const { client, apiKey } = await customerOf(weir)
  const { id } = await client.chat.completions.create(asking('quick'))

  const { stdout } = await weirCommand(['receipts', 'get', id], { WEIR_URL: weir.url, WEIR_API_KEY: apiKey })

  const verifying = weirCommand(['receipts', 'verify', '-'], { WEIR_URL: weir.url })
  verifying.child.stdin?.end(stdout)
  expect((await verifying).stdout).toContain(id)
})

test('every replica signs with the same key and shows it to everybody, for caches to keep', async () => {
  const { client, apiKey } = await customerOf(weir)
  const { id } = await client.chat.completions.create(asking('quick'))

  const receipts = await Promise.all(weir.urls.map((url) => receiptOf(apiKey, id, url)))
  const answers = await Promise.all(weir.urls.map((url) => fetch(keysAt(url))))

  const [one, other] = receipts.map(({ signature }) => headerOf(signature))
  const [keys, otherKeys] = (await Promise.all(answers.map((answer) => answer.json()))) as KeySet[]
  expect(one).toEqual({ alg: 'EdDSA', kid: keys!.keys[0]!.kid, typ: 'weir-receipt' })
  expect(other).toEqual(one)
  expect(otherKeys).toEqual(keys)
  expect(Object.keys(keys!.keys[0]!)).not.toContain('d')
  expect(answers[0]!.headers.get('cache-control')).toMatch(/^public, max-age=\d+$/)
})

test('after a rotation receipts are signed with the new key, and those of before can still be verified', async () => {
  const { client, apiKey } = await customerOf(weir)
  const { id } = await client.chat.completions.create(asking('quick'))
  const old = await receiptOf(apiKey, id)
  const served = await (await fetch(keysAt(weir.url))).text()

  const rotated = await weir.startApi({
    WEIR_RECEIPT_KEY: randomBytes(32).toString('base64url'),
    WEIR_RECEIPT_PAST_KEYS: served,
  })

  const url = `http://127.0.0.1:${rotated.port}`
  const renewed = await receiptOf(apiKey, id, url)
  expect(headerOf(renewed.signature).kid).not.toBe(headerOf(old.signature).kid)
  for (const receipt of [old, renewed]) await expectGenuine(receipt, url)
  await expect(verify(renewed)).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(/not among the keys/) })
})

test('a completion that runs has no receipt yet', async () => {
  const { client, apiKey } = await customerOf(weir)
  const stream = await client.chat.completions.create({ ...asking('upstream'), stream: true })
  const call = await upstream.nextCall()
  call.say('One ')
  let id = ''
  for await (const chunk of stream) {
    id = chunk.id
    if (!chunk.choices[0]?.delta.content) continue
    const answer = await askForReceipt(apiKey, id)
    expect(answer.status).toBe(409)
    expect(await answer.json()).toMatchObject({ error: { code: 'not_finished', type: 'invalid_request_error' } })
    call.finish()
  }

  expect(await statusOf(apiKey, id)).toBe(200)
})

test("nobody sees a receipt of another account's, of nothing, or without a key", async () => {
  const [{ client, apiKey }, stranger] = [await customerOf(weir), await customerOf(weir)]
  const { id } = await client.chat.completions.create(asking('quick'))

  expect(await statusOf(stranger.apiKey, id)).toBe(404)
  expect(await statusOf(apiKey, newCompletionId())).toBe(404)
  expect(await statusOf(apiKey, 'chatcmpl_1')).toBe(400)
  expect(await statusOf('weir_sk_none', id)).toBe(401)
})

test('an API without the key of receipts does not start, and says how one is made', async () => {
  await expect(weir.startApi({ WEIR_RECEIPT_KEY: '' })).rejects.toThrow(/WEIR_RECEIPT_KEY: must be 32 .* openssl rand/)
})

type KeySet = { keys: { kid: string }[] }
type Receipt = {
  signature: string
  attempts: number
  usage: { output_tokens: number }
  quote: number
  reservation: { credits: number }
  cost: number
  charged: number
  calculation: { rounded_up: number } | null
  entries: { kind: string; credits: number }[]
}

const keysAt = (url: string) => `${url}/.well-known/weir-receipt-keys.json`

const askForReceipt = (apiKey: string, id: string, url = weir.url) =>
  fetch(`${url}/v1/chat/completions/${id}/receipt`, { headers: { authorization: `Bearer ${apiKey}` } })

async function receiptOf(apiKey: string, id: string, url?: string): Promise<Receipt> {
  const answer = await askForReceipt(apiKey, id, url)
  if (!answer.ok) throw new Error(`the receipt is a ${answer.status}: ${await answer.text()}`)
  return (await answer.json()) as Receipt
}

async function statusOf(apiKey: string, id: string): Promise<number> {
  const answer = await askForReceipt(apiKey, id)
  await answer.body?.cancel()
  return answer.status
}

/** Oldest first, as a receipt shows them. */
async function entriesOf(apiKey: string, id: string): Promise<unknown[]> {
  const headers = { authorization: `Bearer ${apiKey}` }
  const answer = await fetch(`${weir.url}/v1/credits/entries?completion_id=${id}`, { headers })
  return ((await answer.json()) as { data: unknown[] }).data.toReversed()
}

async function askAdmin(method: string, path: string, body: object): Promise<void> {
  const headers = { authorization: `Bearer ${weir.adminKey}`, 'content-type': 'application/json' }
  const answer = await fetch(`${weir.url}/admin/v1/${path}`, { method, headers, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`)
}

const headerOf = (signature: string) =>
  JSON.parse(Buffer.from(signature.split('.')[0]!, 'base64url').toString()) as { kid: string }

/** Verifies as an auditor would: from two files, with a command line that knows no server. */
async function verify(receipt: object, keysUrl = weir.url) {
  const [receiptPath, keysPath] = ['receipt', 'keys'].map((name) => join(folder, `${name}-${newCompletionId()}.json`))
  await writeFile(receiptPath!, JSON.stringify(receipt, null, 2))
  await writeFile(keysPath!, await (await fetch(keysAt(keysUrl))).text())
  return weirCommand(['receipts', 'verify', receiptPath!, '--keys', keysPath!])
}

async function expectGenuine(receipt: object, keysUrl?: string): Promise<void> {
  expect((await verify(receipt, keysUrl)).stderr).toBe('The receipt is genuine and its sums are right.\n')
}

const weirCommand = (args: string[], env: NodeJS.ProcessEnv = {}) =>
  promisify(execFile)(process.execPath, [program, ...args], { cwd: '/', env })
