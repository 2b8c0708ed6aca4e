import { type Weir, openWeir } from '@weir/local/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { catalogueOf, openai } from './testing/catalogue.ts'
import { type Shown, askedInBackground, rawCallsOf, shown, untilStatus } from './testing/completions.ts'
import { asking, customerOf, plainTextOf } from './testing/customer.ts'
import { listening } from './testing/events.ts'
import { forgetEverything } from './testing/forget-everything.ts'
import { patiently } from './testing/patiently.ts'
import { type Upstream, type UpstreamCall, openUpstream } from './testing/upstream.ts'

let upstream: Upstream
let weir: Weir

beforeAll(async () => {
  upstream = await openUpstream()
  weir = await openWeir({
    config: catalogueOf({ upstream: openai(upstream) }),
    apiEnv: { WEIR_DISCONNECT_GRACE_MS: '50' },
    // What is lost is missed soon.
    workerEnv: {
      WEIR_LOCK_MS: '1500',
      WEIR_STALLED_INTERVAL_MS: '500',
      WEIR_RECONCILE_AFTER_MS: '300',
      WEIR_RECONCILE_INTERVAL_MS: '200',
      WEIR_DISCONNECT_GRACE_MS: '50',
    },
  })
})
afterAll(async () => {
  await weir?.[Symbol.asyncDispose]()
  await upstream?.[Symbol.asyncDispose]()
})

/** One worker, which has nothing else to do. */
async function oneWorker() {
  await Promise.all(weir.workers.map((worker) => worker.stop()))
  return weir.startWorker()
}

function finish(call: UpstreamCall, text: string) {
  call.say(text)
  call.finish()
}

test('a background completion is answered at once with where to find it, and shows its result when it is there', async () => {
  const { client, charges } = await customerOf(weir)
  const asked = client.chat.completions.create({
    ...asking('upstream'),
    background: true,
    metadata: { order: '7' },
  } as never)
  const { data, response } = await asked.withResponse()
  const accepted = data as unknown as Shown

  expect(response.status).toBe(202)
  expect(response.headers.get('location')).toBe(`/v1/chat/completions/${accepted.id}`)
  expect(accepted).toMatchObject({
    id: expect.stringMatching(/^chatcmpl_/),
    object: 'chat.completion',
    model: 'upstream',
    background: true,
    choices: [],
    metadata: { order: '7' },
    routing: { requested: 'upstream', model: 'upstream', target: null, tried: [] },
  })
  const call = await upstream.nextCall()
  expect(await shown(client, accepted.id)).toMatchObject({
    status: 'in_progress',
    choices: [],
    routing: { requested: 'upstream' },
    attempts: [{ attempt: 1, outcome: 'running' }],
  })
  finish(call, 'In my own time.')

  const completed = await untilStatus(client, accepted.id, 'completed')

  expect(plainTextOf(completed)).toBe('In my own time.')
  expect(completed).toMatchObject({ usage: { credits_consumed: 0.003 }, served_by: 'upstream/words' })
  expect(await charges(accepted.id)).toEqual([0.003])
})

test('completions that no worker has begun say how many are before them', async () => {
  await Promise.all(weir.workers.map((worker) => worker.stop()))
  const { client } = await customerOf(weir)

  const first = await askedInBackground(client, 'upstream')
  const second = await askedInBackground(client, 'upstream')

  expect([first, second]).toMatchObject([{ status: 'queued' }, { status: 'queued' }])
  expect(await shown(client, first.id)).toMatchObject({ status: 'queued', queue_position: 0, attempts: [] })
  expect(await shown(client, second.id)).toMatchObject({ status: 'queued', queue_position: 1 })
  await weir.startWorker()
  finish(await upstream.nextCall(), 'One.')
  finish(await upstream.nextCall(), 'Two.')
  expect(await untilStatus(client, second.id, 'completed')).not.toHaveProperty('queue_position')
  await untilStatus(client, first.id, 'completed')
})

test('a background completion that waits survives a Redis that forgets everything', async () => {
  await Promise.all(weir.workers.map((worker) => worker.stop()))
  const { client, charges } = await customerOf(weir)
  const { id } = await askedInBackground(client, 'upstream')

  await forgetEverything(weir)
  expect(await shown(client, id)).toMatchObject({ status: 'queued', choices: [] })
  await weir.startWorker()
  finish(await upstream.nextCall(), 'Not forgotten.')

  expect(plainTextOf(await untilStatus(client, id, 'completed'))).toBe('Not forgotten.')
  expect(await charges()).toEqual([0.003])
})

test('a background completion that runs survives a Redis that forgets everything, and is charged once', async () => {
  await oneWorker()
  const { client, charges } = await customerOf(weir)
  const { id } = await askedInBackground(client, 'upstream')
  const lost = await upstream.nextCall()

  await forgetEverything(weir)
  await lost.closed
  finish(await upstream.nextCall(), 'Again.')

  expect(plainTextOf(await untilStatus(client, id, 'completed'))).toBe('Again.')
  expect(await charges()).toEqual([0.003])
})

test('a background completion survives the death of its worker, and is charged once', async () => {
  const worker = await oneWorker()
  const { client, charges } = await customerOf(weir)
  const { id } = await askedInBackground(client, 'upstream')
  ;(await upstream.nextCall()).say('Half an ans')
  await weir.startWorker()

  worker.kill('SIGKILL')
  finish(await upstream.nextCall(), 'A whole answer.')

  expect(plainTextOf(await untilStatus(client, id, 'completed'))).toBe('A whole answer.')
  expect(await charges()).toEqual([0.003])
})

test('a background stream goes on when its reader leaves, and its result outlives Redis', async () => {
  const { apiKey, client, charges } = await customerOf(weir)
  const { create } = rawCallsOf(weir, apiKey)
  const leave = new AbortController()
  const body = { ...asking('upstream'), stream: true }
  const response = await create({ ...body, background: true }, {}, leave.signal)
  const reader = listening(response)
  const call = await upstream.nextCall()
  call.say('One ')
  await expect.poll(reader.text, patiently).toBe('One ')
  await create(body, {}, leave.signal)
  const another = await upstream.nextCall()

  leave.abort()
  // By then the grace is over for both.
  await another.closed
  finish(call, 'two.')
  const { id } = await untilStatus(client, response.headers.get('x-weir-completion-id')!, 'completed')
  await forgetEverything(weir)

  expect(response.status).toBe(200)
  expect(await shown(client, id)).toMatchObject({ status: 'completed', background: true, stream: true })
  expect(plainTextOf(await shown(client, id))).toBe('One two.')
  expect(await charges(id)).toEqual([0.003])
})

test('a background completion of somebody else is not there', async () => {
  const [{ client }, other] = [await customerOf(weir), await customerOf(weir)]
  const { id } = await askedInBackground(client, 'upstream')
  finish(await upstream.nextCall(), 'Mine.')
  await untilStatus(client, id, 'completed')

  await expect(other.client.chat.completions.retrieve(id)).rejects.toMatchObject({ status: 404, code: 'not_found' })
})
