import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Weir, openWeir } from '@weir/local/testing'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, quick } from './testing/catalogue.ts'
import { askedInBackground } from './testing/completions.ts'
import { customerOf } from './testing/customer.ts'
import { openReceiver, signedOf } from './testing/receiver.ts'
import { webhookCallsOf } from './testing/webhooks.ts'

const page = new URL('../../docs/webhooks.md', import.meta.url)
const env = {
  WEIR_WEBHOOK_PRIVATE_ADDRESSES: 'true',
  WEIR_WEBHOOK_POLL_MS: '50',
  WEIR_WEBHOOK_RETRIES_MS: '100,100,100,100',
}

/** A port that was free a moment ago. */
async function freePort(): Promise<string> {
  await using receiver = await openReceiver()
  return new URL(receiver.url).port
}

/** The programs of the page, in its order. */
const examples = async () => [...(await readFile(page, 'utf8')).matchAll(/```js\n([^]*?)```/g)].map(([, code]) => code!)

/** Runs one where the libraries that it names are installed. */
function pasted(code: string, given: Record<string, string>) {
  const cwd = fileURLToPath(new URL('../', import.meta.url))
  const program = spawn(process.execPath, ['--input-type=module', '-'], { cwd, env: given, stdio: 'pipe' })
  program.stdin.end(code)
  return program
}

let weir: Weir
beforeAll(async () => {
  weir = await openWeir({ config: catalogueOf({ quick }), apiEnv: env, workerEnv: env })
})
afterAll(() => weir?.[Symbol.asyncDispose]())

test('the receiver of the documentation, pasted, hears of a background completion once', async () => {
  const [code = ''] = await examples()
  const { apiKey, client } = await customerOf(weir)
  const calls = webhookCallsOf(weir, apiKey)
  const port = await freePort()
  const { signing_secret: secret } = await calls.endpoint(`http://127.0.0.1:${port}/`)

  const receiver = pasted(code, { WEBHOOK_SECRET: secret, PORT: port })
  try {
    const lines = createInterface(receiver.stdout)[Symbol.asyncIterator]()
    const complaints = createInterface(receiver.stderr)[Symbol.asyncIterator]()
    const first = await askedInBackground(client, 'quick')
    expect((await lines.next()).value).toBe(`chat.completion.completed ${first.id}`)

    const { id: delivery } = await calls.newest()
    await expect.poll(async () => (await calls.delivery(delivery)).state, { timeout: 30_000 }).toBe('delivered')
    const { attempts: tries } = await calls.delivery(delivery)
    await calls.post(`webhook_deliveries/${delivery}/redeliver`)
    const arrived = async () => (await calls.delivery(delivery)).attempts.length
    await expect.poll(arrived, { timeout: 30_000 }).toBe(tries.length + 1)
    const second = await askedInBackground(client, 'quick')
    expect((await lines.next()).value).toBe(`chat.completion.completed ${second.id}`)

    const forged = await fetch(`http://127.0.0.1:${port}/`, {
      method: 'POST',
      body: '{}',
      headers: { 'webhook-id': 'evt_1' },
    })
    expect(forged.status).toBe(400)
    expect((await complaints.next()).value).toBe('Refused: Missing required headers')
  } finally {
    receiver.kill()
    await once(receiver, 'exit')
  }
})

test('the example of managing endpoints, pasted, makes one and tries it out', async () => {
  const [, code = ''] = await examples()
  const { apiKey } = await customerOf(weir)
  await using receiver = await openReceiver()
  // As a receiver on one's own machine is called.
  const url = receiver.url.replace('127.0.0.1', 'localhost')
  const program = pasted(code, { WEIR_URL: weir.url, WEIR_API_KEY: apiKey, WEBHOOK_URL: url })

  const lines = await Array.fromAsync(createInterface(program.stdout))

  const [id, secret] = lines[0]!.split(' ') as [string, string]
  expect([id, lines.slice(1)]).toEqual([expect.stringMatching(/^we_/), [`Orders and refunds ${url} 204`]])
  const { body, headers } = signedOf(await receiver.next())
  expect(new Webhook(secret).verify(body, headers)).toMatchObject({ test: true })
})
