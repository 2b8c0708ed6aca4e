import { once } from 'node:events'
import { connect } from 'node:net'
import { openWeir } from '@weir/local/testing'
import { expect, test } from 'vitest'
import { catalogueOf, openai, quick } from './testing/catalogue.ts'
import { asking, customerOf, plainTextOf, textOf } from './testing/customer.ts'
import { patiently } from './testing/patiently.ts'
import { type UpstreamCall, openUpstream } from './testing/upstream.ts'

/** Longer than any test runs. */
const oneHour = '3600000'

test('a worker that is told to stop lets what it runs come to its end, and takes nothing new', async () => {
  await using upstream = await openUpstream()
  await using weir = await openWeir({
    config: catalogueOf({ upstream: openai(upstream) }),
    workerEnv: { LOG_LEVEL: 'info' },
  })
  const { client, charges } = await customerOf(weir)
  const plain = client.chat.completions.create(asking('upstream', 'plain')).then(plainTextOf)
  const stream = client.chat.completions.create({ ...asking('upstream', 'stream'), stream: true }).then(textOf)
  const running = [await upstream.nextCall(), await upstream.nextCall()]
  const [old] = [weir.workers[0]!, await weir.startWorker()]

  old.kill('SIGTERM')
  await expect.poll(() => old.logs().join(), patiently).toContain('draining')
  const later = client.chat.completions.create(asking('upstream', 'later')).then(plainTextOf)
  const calls = [...running, await upstream.nextCall()]
  for (const call of calls) echo(call)

  expect(await Promise.all([plain, stream, later])).toEqual(['plain', 'stream', 'later'])
  expect(await old.exited).toEqual({ code: 0, signal: null })
  expect(await charges()).toEqual([0.003, 0.003, 0.003])
})

test('a worker that may wait no longer hands back what nobody has seen, and another one answers it', async () => {
  await using upstream = await openUpstream()
  await using weir = await openWeir({
    config: catalogueOf({ upstream: openai(upstream) }),
    workerEnv: { WEIR_SHUTDOWN_MS: '100', WEIR_MAX_ATTEMPTS: '1' },
  })
  const { client, charges } = await customerOf(weir)
  const prompts = ['one', 'two', 'three', 'four']
  const asked = prompts.map((prompt) => client.chat.completions.create(asking('upstream', prompt)).then(plainTextOf))
  const stream = client.chat.completions.create({ ...asking('upstream', 'stream'), stream: true }).then(textOf)
  const held = await Promise.all([...prompts, 'stream'].map(() => upstream.nextCall()))
  const [old] = [weir.workers[0]!, await weir.startWorker()]

  old.kill('SIGTERM')
  await Promise.all(held.map(({ closed }) => closed))
  for (const _ of held) echo(await upstream.nextCall())

  expect(await Promise.all([...asked, stream])).toEqual([...prompts, 'stream'])
  expect(await old.exited).toEqual({ code: 0, signal: null })
  expect(await charges()).toHaveLength(5)
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
