import { once } from 'node:events'
import { type RequestListener, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { type SendOptions, send } from './send.ts'

const event = { id: 'evt_1', type: 'batch.completed', subject: 'batch_1', createdAt: new Date() }
const secrets = [`whsec_${Buffer.alloc(32, 'a').toString('base64')}`]
const { signal } = new AbortController()

const sending = (url: string, options: Partial<SendOptions> = {}) =>
  send({ event, url, secrets }, { addresses: 'private_too', timeoutMs: 10_000, ...options }, signal)

async function receiver(listener: RequestListener) {
  let asked = 0
  const server = createServer((request, response) => {
    asked += 1
    listener(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    asked: () => asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

test('what is answered is a status, and when to come back', async () => {
  await using busy = await receiver((_request, response) => response.writeHead(503, { 'retry-after': '7' }).end())

  expect(await sending(busy.url)).toEqual({ kind: 'answered', status: 503, retryAfterMs: 7_000 })
})

test('an answer counts from its head on, however long its body is or takes', async () => {
  await using endless = await receiver((_request, response) => {
    response.on('error', () => {})
    response.writeHead(200).write(Buffer.alloc(1_000_000))
  })

  expect(await sending(endless.url)).toMatchObject({ kind: 'answered', status: 200 })
})

test('a redirect is an answer that nobody follows', async () => {
  await using inside = await receiver((_request, response) => response.end())
  await using moved = await receiver((_request, response) => response.writeHead(307, { location: inside.url }).end())

  expect(await sending(moved.url)).toMatchObject({ status: 307 })
  expect(inside.asked()).toBe(0)
})

test('a receiver that says nothing is left after the time allowed', async () => {
  await using silent = await receiver(() => {})

  expect(await sending(silent.url, { timeoutMs: 50 })).toMatchObject({ kind: 'unanswered', reason: 'timeout' })
})

test.each([
  ['a literal', 'https://127.0.0.1/'],
  ['one decimal number', 'https://2130706433/'],
  ['hexadecimal numbers', 'https://0x7f.0x0.0x0.0x1/'],
  ['octal numbers', 'https://0177.0.0.1/'],
  ['IPv6', 'https://[::1]/'],
  ['IPv4 written as IPv6', 'https://[::ffff:127.0.0.1]/'],
  ['IPv4 behind a translation to IPv6', 'https://[64:ff9b::7f00:1]/'],
  ['the metadata of a cloud', 'https://169.254.169.254/'],
])('nothing is sent to a private address given as %s', async (_what, url) => {
  expect(await sending(url, { addresses: 'public' })).toMatchObject({ kind: 'unanswered', reason: 'address' })
})

test('nothing is sent to a name that leads to a private address, be it one of several, and each try asks anew', async () => {
  await using inside = await receiver((_request, response) => response.end())
  const answers = [['8.8.8.8', '127.0.0.1'], ['127.0.0.1'], ['::ffff:10.0.0.1']]
  const resolve = async () => answers.shift()!

  for (let i = 0; i < 3; i += 1)
    expect(await sending('https://rebinding.example/', { addresses: 'public', resolve })).toMatchObject({
      reason: 'address',
    })
  expect(answers).toEqual([])
  expect(inside.asked()).toBe(0)
})

test('the connection goes to the address that was checked, whatever the name says a moment later', async () => {
  await using checked = await receiver((_request, response) => response.end())
  let asked = 0
  const resolve = async () => {
    asked += 1
    return ['127.0.0.1']
  }

  expect(await sending(`http://rebinding.example:${checked.port}/`, { resolve })).toMatchObject({ status: 200 })
  expect([asked, checked.asked()]).toEqual([1, 1])
})

test('what cannot be signed is not sent', async () => {
  await using unasked = await receiver((_request, response) => response.end())
  const parcel = { event, url: unasked.url, secrets: [] }

  expect(await send(parcel, { addresses: 'private_too', timeoutMs: 1_000 }, signal)).toMatchObject({
    reason: 'unsigned',
  })
  expect(unasked.asked()).toBe(0)
})
