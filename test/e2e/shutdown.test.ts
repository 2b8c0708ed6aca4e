import { once } from 'node:events'
import { connect } from 'node:net'
import { openWeir } from '@weir/local/testing'
import { expect, test } from 'vitest'
import { catalogueOf, openai, quick } from './testing/catalogue.ts'
import { asking, customerOf, plainTextOf, reading, textOf } from './testing/customer.ts'
import { failureOf } from './testing/failure.ts'
import { patiently } from './testing/patiently.ts'
import { type UpstreamCall, openUpstream } from './testing/upstream.ts'

/** Longer than any test runs. */
const oneHour = '3600000'

test('a worker that is told to stop finishes what has begun to answer, and takes nothing new', async () => {
  await using upstream = await openUpstream()
  await using weir = await openWeir({
    config: catalogueOf({ upstream: openai(upstream) }),
    workerEnv: { LOG_LEVEL: 'info', WEIR_SHUTDOWN_MS: oneHour },
  })
  const { client, charges } = await customerOf(weir)
  const plain = client.chat.completions.create(asking('upstream', 'plain')).then(plainTextOf)
  const plainCall = await upstream.nextCall()
  plainCall.say('pl')
  const reader = reading(client.chat.completions.create({ ...asking('upstream', 'stream'), stream: true }))
  const streamCall = await upstream.nextCall()
  streamCall.say('str')
  // Whoever has heard the second has heard the first.
  await expect.poll(reader.text, patiently).toBe('str')
  const [old] = [weir.workers[0]!, await weir.startWorker()]

  old.kill('SIGTERM')
  await expect.poll(() => old.logs().join(), patiently).toContain('draining')
  const later = client.chat.completions.create(asking('upstream', 'later')).then(plainTextOf)
  echo(await upstream.nextCall())
  plainCall.say('ain')
  plainCall.finish()
  streamCall.say('eam')
  streamCall.finish()

  expect(await Promise.all([plain, later])).toEqual(['plain', 'later'])
  await reader.end
  expect(reader.text()).toBe('stream')
  expect(await old.exited).toEqual({ code: 0, signal: null })
  expect(await charges()).toEqual([0.003, 0.003, 0.003])
})

test('a worker that is told to stop hands back at once what has said nothing, and that attempt does not count', async () => {
  await using upstream = await openUpstream()
  await using weir = await openWeir({
    config: catalogueOf({ upstream: openai(upstream) }),
    workerEnv: { WEIR_SHUTDOWN_MS: oneHour, WEIR_MAX_ATTEMPTS: '1' },
  })
  const { client, charges } = await customerOf(weir)
  const prompts = ['one', 'two', 'three', 'four']
  const asked = prompts.map((prompt) => client.chat.completions.create(asking('upstream', prompt)).then(plainTextOf))
  const stream = client.chat.completions.create({ ...asking('upstream', 'stream'), stream: true }).then(textOf)
  const held = await Promise.all([...prompts, 'stream'].map(() => upstream.nextCall()))
  const [old] = [weir.workers[0]!, await weir.startWorker()]

  old.kill('SIGTERM')
  await Promise.all(held.map(({ closed }) => closed))
  expect(await old.exited).toEqual({ code: 0, signal: null })
  for (const _ of held) echo(await upstream.nextCall())

  expect(await Promise.all([...asked, stream])).toEqual([...prompts, 'stream'])
  expect(await charges()).toHaveLength(5)
})

test('a worker that may wait no longer hands back what nobody has seen, and ends the other streams for free', async () => {
  await using upstream = await openUpstream()
  await using weir = await openWeir({
    config: catalogueOf({ upstream: openai(upstream) }),
    workerEnv: { WEIR_SHUTDOWN_MS: '100', WEIR_MAX_ATTEMPTS: '1' },
  })
  const { client, charges } = await customerOf(weir)
  const plain = client.chat.completions.create(asking('upstream', 'plain')).then(plainTextOf)
  const plainCall = await upstream.nextCall()
  plainCall.say('Half an ans')
  const reader = reading(client.chat.completions.create({ ...asking('upstream', 'stream'), stream: true }))
  ;(await upstream.nextCall()).say('Half an ans')
  await expect.poll(reader.text, patiently).toBe('Half an ans')
  const [old] = [weir.workers[0]!, await weir.startWorker()]

  old.kill('SIGTERM')
  echo(await upstream.nextCall())

  expect(await plain).toBe('plain')
  expect(await failureOf(reader.end)).toMatchObject({ code: 'stream_interrupted' })
  expect(await old.exited).toEqual({ code: 0, signal: null })
  expect(await charges()).toEqual([0.003])
})

test('a worker tells on its metrics port that it is alive and ready, and that it drains', async () => {
  await using upstream = await openUpstream()
  await using weir = await openWeir({
    config: catalogueOf({ upstream: openai(upstream) }),
    workerEnv: { WEIR_METRICS_PORT: '0', WEIR_SHUTDOWN_MS: oneHour },
  })
  const { client } = await customerOf(weir)
  const worker = weir.workers[0]!
  const probe = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${worker.metricsPort}${path}`)
    return [answer.status, ((await answer.json()) as { status: string }).status]
  }
  const reader = reading(client.chat.completions.create({ ...asking('upstream'), stream: true }))
  const call = await upstream.nextCall()
  call.say('Rivers ')
  await expect.poll(reader.text, patiently).toBe('Rivers ')
  expect([await probe('/healthz'), await probe('/readyz')]).toEqual([
    [200, 'ok'],
    [200, 'ok'],
  ])

  worker.kill('SIGTERM')
  await expect.poll(() => probe('/readyz'), patiently).toEqual([503, 'draining'])
  expect(await probe('/healthz')).toEqual([200, 'ok'])
  call.finish()
  await reader.end
  expect(await worker.exited).toEqual({ code: 0, signal: null })
})

test('an API that is told to stop answers what it has begun and then ends', async () => {
  await using upstream = await openUpstream()
  await using weir = await openWeir({
    config: catalogueOf({ upstream: openai(upstream) }),
    apis: 2,
    apiEnv: { WEIR_SHUTDOWN_MS: oneHour },
  })
  const { client } = await customerOf(weir)
  const plain = client.chat.completions.create(asking('upstream', 'plain')).then(plainTextOf)
  const stream = client.chat.completions.create({ ...asking('upstream', 'stream'), stream: true }).then(textOf)
  const running = [await upstream.nextCall(), await upstream.nextCall()]

  weir.apis[0]!.kill('SIGTERM')
  await expect.poll(() => refusesConnections(weir.apis[0]!.port!), patiently).toBe(true)
  for (const call of running) echo(call)

  expect(await Promise.all([plain, stream])).toEqual(['plain', 'stream'])
  expect(await weir.apis[0]!.exited).toEqual({ code: 0, signal: null })
})

test('an API that may wait no longer says where its streams go on, and cancels none of them', async () => {
  await using upstream = await openUpstream()
  await using weir = await openWeir({ config: catalogueOf({ upstream: openai(upstream) }) })
  const api = await weir.startApi({ WEIR_SHUTDOWN_MS: '300', WEIR_DISCONNECT_GRACE_MS: '1' })
  const { client, apiKey, charges, credits } = await customerOf(weir, { baseUrl: `http://127.0.0.1:${api.port}` })
  const plain = client.chat.completions.create(asking('upstream', 'plain'))
  const stream = client.chat.completions.create({ ...asking('upstream', 'stream'), stream: true })
  const reader = reading(stream)
  const calls = [await upstream.nextCall(), await upstream.nextCall()]
  calls.find(({ prompt }) => prompt === 'stream')!.say('Rivers ')
  await expect.poll(reader.text, patiently).toBe('Rivers ')
  const next = await weir.startApi()

  api.kill('SIGTERM')
  const [failure, refusal] = await Promise.all([failureOf(reader.end), failureOf(plain)])
  expect(await api.exited).toEqual({ code: 0, signal: null })
  for (const call of calls) {
    call.say('bend.')
    call.finish()
  }

  const { completion_id: id } = failure.error as { completion_id: string }
  expect(failure).toMatchObject({ code: 'stream_interrupted' })
  expect(failure.message).toContain(`GET /v1/chat/completions/${id}/stream`)
  expect(refusal).toMatchObject({ status: 504, code: 'wait_exceeded' })
  expect(refusal.error).toMatchObject({ completion_id: expect.stringMatching(/^chatcmpl_/) })
  const resumed = await fetch(`http://127.0.0.1:${next.port}/v1/chat/completions/${id}/stream`, {
    headers: { authorization: `Bearer ${apiKey}` },
  })
  expect(await resumed.text()).toMatch(/Rivers [^]*bend\.[^]*\[DONE\]/)
  await expect.poll(() => charges(), patiently).toEqual([0.003, 0.003])
  expect((await credits()).reserved).toBe(0)
})

test('an API that is told to stop is not ready at once, and takes requests for as long as balancers need', async () => {
  await using weir = await openWeir({ config: catalogueOf({ quick }), apiEnv: { WEIR_DRAIN_DELAY_MS: '5000' } })
  const { client } = await customerOf(weir)
  const api = weir.apis[0]!

  api.kill('SIGTERM')
  const ready = () => fetch(`${weir.url}/readyz`).then(async (answer) => [answer.status, await answer.json()])
  await expect.poll(ready, patiently).toEqual([503, { status: 'draining', postgres: 'ok', redis: 'ok' }])
  const { data, response } = await client.chat.completions.create(asking('quick')).withResponse()

  expect(data.object).toBe('chat.completion')
  expect(response.headers.get('connection')).toBe('close')
  expect(await api.exited).toEqual({ code: 0, signal: null })
})

test('a connection that asks nothing does not keep an API from stopping', async () => {
  await using weir = await openWeir({
    config: catalogueOf({ quick }),
    workers: 0,
    apiEnv: { WEIR_SHUTDOWN_MS: oneHour },
  })
  const api = weir.apis[0]!
  const silent = connect(api.port!, '127.0.0.1').on('error', () => {})
  await once(silent, 'connect')

  api.kill('SIGTERM')

  expect(await api.exited).toEqual({ code: 0, signal: null })
})

function echo(call: UpstreamCall) {
  call.say(call.prompt)
  call.finish()
}

const refusesConnections = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve((socket.destroy(), false)))
    socket.once('error', () => resolve(true))
  })
