import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { openWeir } from '@weir/local/testing'
import { expect, test } from 'vitest'
import { catalogueOf, quick } from './testing/catalogue.ts'
import { askedInBackground } from './testing/completions.ts'
import { customerOf } from './testing/customer.ts'
import { openReceiver } from './testing/receiver.ts'
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

test('the receiver of the documentation, pasted, hears of a background completion once', async () => {
  const code = /```js\n([^]*?)```/.exec(await readFile(page, 'utf8'))![1]!
  await using weir = await openWeir({ config: catalogueOf({ quick }), apiEnv: env, workerEnv: env })
  const { apiKey, client } = await customerOf(weir)
  const calls = webhookCallsOf(weir, apiKey)
  const port = await freePort()
  const { signing_secret: secret } = await calls.endpoint(`http://127.0.0.1:${port}/`)

  // Where `standardwebhooks` is installed.
  const cwd = fileURLToPath(new URL('../', import.meta.url))
  const receiver = spawn(process.execPath, ['--input-type=module', '-'], {
    cwd,
    env: { WEBHOOK_SECRET: secret, PORT: port },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  try {
    const lines = createInterface(receiver.stdout)[Symbol.asyncIterator]()
    receiver.stdin.end(code)
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
  } finally {
    receiver.kill()
    await once(receiver, 'exit')
  }
})
