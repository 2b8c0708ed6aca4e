import { type AccountId, completionIdOf, uuidOf } from '@weir/contracts'
import { type Weir, openWeir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, openai } from './testing/catalogue.ts'
import { rawCallsOf, untilStatus } from './testing/completions.ts'
import { type Customer, asking, clientOf, customerOf, plainTextOf } from './testing/customer.ts'
import { listening } from './testing/events.ts'
import { patiently } from './testing/patiently.ts'
import { rowsOf } from './testing/rows.ts'
import { type Upstream, openUpstream } from './testing/upstream.ts'

/** A replica is taken for dead some eleven seconds after its last word. */
const LAPSING_MS = 90_000

let upstream: Upstream
let weir: Weir

beforeAll(async () => {
  upstream = await openUpstream()
  weir = await openWeir({ config: catalogueOf({ upstream: openai(upstream) }), apis: 1 })
})
afterAll(async () => {
  await weir?.[Symbol.asyncDispose]()
  await upstream?.[Symbol.asyncDispose]()
})

/** A customer of a replica that is about to die; the others are asked about it afterwards. */
async function customerOfTheDoomed() {
  const doomed = await weir.startApi()
  const customer = await customerOf(weir, { baseUrl: `http://127.0.0.1:${doomed.port}` })
  return {
    ...customer,
    doomed,
    elsewhere: clientOf(customer.apiKey, weir.urls[0]!),
    calls: rawCallsOf(weir, customer.apiKey, `http://127.0.0.1:${doomed.port}`),
    async kill() {
      doomed.kill('SIGKILL')
      await doomed.exited
      // The operator asks the newest replica.
      await weir.startApi()
    },
  }
}

/** Of a customer, oldest first. */
async function completionsOf({ accountId }: Customer) {
  const sql = 'select id, state from store.completion where account_id = $1 order by id'
  const rows = await rowsOf<{ id: string; state: string }>(weir.databaseUrl, sql, [uuidOf(accountId as AccountId)])
  return rows.map(({ id, state }) => ({ id: completionIdOf(id), state }))
}

const newestOf = async (customer: Customer) => (await completionsOf(customer)).at(-1)!

/** How a completion ends whose client was lost with its replica: for free, as it was not the client that left. */
const interrupted = {
  status: 'failed',
  choices: [],
  error: { code: 'stream_interrupted' },
  usage: { credits_consumed: 0 },
}

test(
  'a replica is killed: what its clients waited for is stopped for free, what needs nobody goes on',
  { timeout: LAPSING_MS },
  async () => {
    const customer = await customerOfTheDoomed()
    /** Begun, and half answered. */
    async function begun(body: object, headers: Record<string, string> = {}) {
      const asked = customer.calls.create({ ...asking('upstream'), ...body }, headers)
      asked.catch(() => {})
      const call = await upstream.nextCall()
      call.say('Half an ans')
      return { asked, call, id: (await newestOf(customer)).id }
    }
    const plain = await begun({})
    const stream = await begun({ stream: true })
    const reader = listening(stream.asked)
    await expect.poll(reader.text, patiently).toBe('Half an ans')
    const background = await begun({ background: true })
    const keyed = await begun({ stream: true }, { 'idempotency-key': 'mine' })
    const waited = await begun({}, { prefer: 'wait=1' })
    expect((await waited.asked).status).toBe(202)

    await customer.kill()
    await Promise.all([plain.call.closed, stream.call.closed])
    for (const { call } of [background, keyed, waited]) {
      call.say('wer.')
      call.finish()
    }

    for (const { id } of [plain, stream])
      expect(await untilStatus(customer.elsewhere, id, 'failed')).toMatchObject(interrupted)
    for (const { id } of [background, keyed, waited])
      expect(plainTextOf(await untilStatus(customer.elsewhere, id, 'completed'))).toBe('Half an answer.')
    expect(await customer.charges()).toEqual([0.003, 0.003, 0.003])
    expect((await customer.credits()).reserved).toBe(0)
  },
)

test('what waits for a worker when its replica is killed never begins', { timeout: LAPSING_MS }, async () => {
  await Promise.all(weir.workers.map((worker) => worker.stop()))
  await weir.startWorker({ WEIR_WORKER_CONCURRENCY: '1' })
  const customer = await customerOfTheDoomed()
  const ask = (prompt: string) => customer.client.chat.completions.create(asking('upstream', prompt)).catch(() => {})
  const running = ask('Running.')
  const call = await upstream.nextCall()
  const waiting = ask('Waiting.')
  await expect.poll(async () => (await completionsOf(customer)).length, patiently).toBe(2)

  await customer.kill()
  await Promise.all([running, waiting, call.closed])
  const later = customer.elsewhere.chat.completions.create(asking('upstream', 'Later.'))
  const next = await upstream.nextCall()
  next.say('Here.')
  next.finish()

  expect(next.prompt).toBe('Later.')
  await later
  expect((await completionsOf(customer)).map(({ state }) => state)).toEqual(['failed', 'cancelled', 'completed'])
  expect(await customer.charges()).toEqual([0.003])
})
