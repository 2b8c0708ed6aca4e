import { type AccountId, newCompletionId, uuidOf } from '@weir/contracts'
import { type Weir, openWeir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, openai } from './testing/catalogue.ts'
import { asking, customerOf, plainTextOf, reading, textOf } from './testing/customer.ts'
import { failureOf } from './testing/failure.ts'
import { patiently } from './testing/patiently.ts'
import { rowsOf } from './testing/rows.ts'
import { openTcpProxy } from './testing/tcp-proxy.ts'
import { type Upstream, type UpstreamCall, openUpstream } from './testing/upstream.ts'

let upstream: Upstream
let weir: Weir

/** A worker that died is missed soon, and what nobody looks after is found soon. */
const workerEnv = {
  WEIR_LOCK_MS: '1500',
  WEIR_STALLED_INTERVAL_MS: '500',
  WEIR_RECONCILE_AFTER_MS: '500',
  WEIR_RECONCILE_INTERVAL_MS: '200',
}

beforeAll(async () => {
  upstream = await openUpstream()
  weir = await openWeir({ config: catalogueOf({ upstream: openai(upstream) }), workers: 0, workerEnv })
})
afterAll(async () => {
  await weir?.[Symbol.asyncDispose]()
  await upstream?.[Symbol.asyncDispose]()
})

const stopWorkers = () => Promise.all(weir.workers.map((worker) => worker.stop()))

/** The call runs on a worker of its own before a second worker comes. */
async function callOnWorkerOfItsOwn() {
  await stopWorkers()
  const worker = await weir.startWorker()
  return { worker, call: upstream.nextCall(), secondWorker: () => weir.startWorker() }
}

test('a worker dies in the middle of a plain call: another one answers it and it is charged once', async () => {
  const { client, charges, credits } = await customerOf(weir)
  const { worker, call, secondWorker } = await callOnWorkerOfItsOwn()
  const asked = client.chat.completions.create(asking('upstream'))
  ;(await call).say('Half an ans')
  await secondWorker()

  worker.kill('SIGKILL')
  finish(await upstream.nextCall(), 'A whole answer.')

  const completion = await asked
  expect(plainTextOf(completion)).toBe('A whole answer.')
  expect(await charges()).toEqual([0.003])
  expect(await charges(completion.id)).toEqual([0.003])
  expect((await credits()).reserved).toBe(0)
})

test('a worker dies in the middle of a stream: its reader gets an error, never a whole answer, and pays nothing', async () => {
  const { client, charges, credits } = await customerOf(weir)
  const { worker, call, secondWorker } = await callOnWorkerOfItsOwn()
  const reader = reading(client.chat.completions.create({ ...asking('upstream'), stream: true }))
  ;(await call).say('Half an ans')
  await expect.poll(reader.text, patiently).toBe('Half an ans')
  await secondWorker()

  worker.kill('SIGKILL')
  const failure = await failureOf(reader.end)

  expect(failure).toMatchObject({ type: 'server_error', code: 'stream_interrupted' })
  expect(reader.text()).toBe('Half an ans')
  expect(reader.finished()).toBe(false)
  expect(await credits()).toEqual({ balance: 100, reserved: 0, available: 100 })
  expect(await charges()).toEqual([])
})

test('a worker dies before a stream has begun: another one gives all of it', async () => {
  const { client, charges } = await customerOf(weir)
  const { worker, call, secondWorker } = await callOnWorkerOfItsOwn()
  const asked = client.chat.completions.create({ ...asking('upstream'), stream: true }).then(textOf)
  await call
  await secondWorker()

  worker.kill('SIGKILL')
  finish(await upstream.nextCall(), 'All of it.')

  expect(await asked).toBe('All of it.')
  expect(await charges()).toEqual([0.003])
})

test.each([[false], [true]])(
  'a worker that was frozen and wakes up finds that it may neither speak nor charge (stream: %s)',
  async (stream) => {
    const { client, charges } = await customerOf(weir)
    const { worker, call, secondWorker } = await callOnWorkerOfItsOwn()
    const asked = stream
      ? client.chat.completions.create({ ...asking('upstream'), stream }).then(textOf)
      : client.chat.completions.create(asking('upstream')).then(plainTextOf)
    const stale = await call
    await secondWorker()

    worker.kill('SIGSTOP')
    const fresh = await upstream.nextCall()
    stale.say('Stale.')
    worker.kill('SIGCONT')
    await stale.closed
    finish(fresh, 'Fresh.')

    expect(await asked).toBe('Fresh.')
    expect(await charges()).toEqual([0.003])
  },
)

test('a worker that was frozen wakes up with a whole answer: it comes too late to count', async () => {
  const { client, charges } = await customerOf(weir)
  const { worker, call, secondWorker } = await callOnWorkerOfItsOwn()
  const asked = client.chat.completions.create(asking('upstream')).then(plainTextOf)
  const stale = await call
  await secondWorker()

  worker.kill('SIGSTOP')
  const fresh = await upstream.nextCall()
  finish(stale, 'Stale.', 500)
  worker.kill('SIGCONT')
  await expect.poll(() => worker.logs().join(), patiently).toContain('a newer attempt has taken over')
  finish(fresh, 'Fresh.')

  expect(await asked).toBe('Fresh.')
  expect(await charges()).toEqual([0.003])
})

test('an API dies while calls wait at it: no reservation stays open', async () => {
  const api = await weir.startApi()
  const { client, credits, charges } = await customerOf(weir, { baseUrl: `http://127.0.0.1:${api.port}` })
  const { call } = await callOnWorkerOfItsOwn()
  const asked = client.chat.completions.create(asking('upstream')).catch(String)
  const running = await call
  await weir.startApi()

  api.kill('SIGKILL')
  expect(await asked).toMatch(/Connection error/)
  finish(running, 'For nobody.')

  await expect.poll(async () => (await credits()).reserved, patiently).toBe(0)
  expect((await charges()).length).toBeLessThanOrEqual(1)
})

test('an API dies between admitting a call and handing it over: its reservation is released', async () => {
  await stopWorkers()
  await using redis = await openTcpProxy(weir.redisUrl)
  const api = await weir.startApi({ REDIS_URL: redis.url })
  const { client, credits, accountId, charges } = await customerOf(weir, { baseUrl: `http://127.0.0.1:${api.port}` })
  const handingOver = redis.silenceAt('"maxOutputTokens"')
  const asked = client.chat.completions.create(asking('upstream')).catch(String)
  await handingOver
  api.kill('SIGKILL')
  await asked
  await weir.startApi()
  expect((await credits()).reserved).toBeGreaterThan(0)

  await weir.startWorker()

  await expect.poll(credits, patiently).toEqual({ balance: 100, reserved: 0, available: 100 })
  expect(await endedOf(accountId)).toEqual([{ state: 'failed', error_code: 'service_unavailable' }])
  expect(await charges()).toEqual([])
})

test('a reservation whose completion nobody knows of any more is released', async () => {
  await stopWorkers()
  const { accountId, credits } = await customerOf(weir)
  const ids = [uuidOf(accountId as AccountId), uuidOf(newCompletionId())]
  await rowsOf(
    weir.databaseUrl,
    `select ledger.apply('{1}', array[$1]::uuid[], array[$2]::uuid[], '{7000000}', '{7000000}', '{null}', '{null}',
       interval '10 minutes')`,
    ids,
  )
  await rowsOf(
    weir.databaseUrl,
    `insert into store.completion (id, account_id, key_id, model, stream, deadline_at)
     values ($2, $1, $1, 'upstream', false, clock_timestamp() + interval '5 minutes')`,
    ids,
  )
  expect((await credits()).reserved).toBe(7)

  await weir.startWorker()

  await expect.poll(credits, patiently).toEqual({ balance: 100, reserved: 0, available: 100 })
})

function finish(call: UpstreamCall, text: string, tokens = 1) {
  call.say(text)
  call.finish({ prompt: 1, completion: tokens })
}

const endedOf = (accountId: string) =>
  rowsOf(weir.databaseUrl, 'select state, error_code from store.completion where account_id = $1', [
    uuidOf(accountId as AccountId),
  ])
