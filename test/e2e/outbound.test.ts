import { once } from 'node:events'
import { type RequestListener, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Weir, openWeir } from '@weir/local/testing'
import { APIError } from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type MockBackend, openMockBackend } from '../clients/mock-backend/open-mock-backend.ts'
import { catalogueOf } from './testing/catalogue.ts'
import { type Customer, customerOf, plainTextOf } from './testing/customer.ts'
import { type Listener, openListener, ownLoopback } from './testing/listener.ts'
import { askingMessage, rawMessagesOf } from './testing/messages.ts'

const PNG = Buffer.from('\x89PNG\r\n\x1a\nrest', 'latin1')
const PART = 'messages[0].content[1]'
/** One of the ports that the public internet may be asked at. */
const WEB_PORT = 8443

const resources = new AsyncDisposableStack()
let backend: MockBackend
let listener: Listener
/** Fetches from the public internet alone. */
let weir: Weir
/** Fetches from private networks too. */
let inside: Weir
let customer: Customer
let insider: Customer

beforeAll(async () => {
  backend = resources.use(await openMockBackend())
  listener = resources.use(await openListener(ownLoopback(), WEB_PORT))
  const config = catalogueOf(
    { image: { kind: 'openai', base_url: backend.baseUrl('openai') } },
    { image: { targets: [{ backend: 'image', model: 'image' }] } },
  )
  weir = resources.use(await openWeir({ config }))
  inside = resources.use(await openWeir({ config, workerEnv: { WEIR_FETCH_PRIVATE_ADDRESSES: 'true' } }))
  customer = await customerOf(weir)
  insider = await customerOf(inside)
})
afterAll(() => resources.disposeAsync())

/** A server on this machine. */
async function openServer(handle: RequestListener) {
  const server = createServer(handle).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const showing = (address: string) => ({
  model: 'image',
  messages: [
    {
      role: 'user' as const,
      content: [
        { type: 'text' as const, text: `What is at ${address}?` },
        { type: 'image_url' as const, image_url: { url: address } },
      ],
    },
  ],
})

const look = ({ client }: Customer, address: string) => client.chat.completions.create(showing(address))

/** How a look at an address was refused, when it was, as it is to be: for free, and past no backend. */
async function refusedLook(from: Customer, address: string) {
  const error: unknown = await look(from, address).catch((error: unknown) => error)
  if (!(error instanceof APIError)) throw new Error(`${address} was not refused`, { cause: error })
  expect(backend.callsFor(`What is at ${address}?`)).toBe(0)
  expect(await from.charges()).toEqual([])
  return error
}

const refusal = (sentence: string) => ({
  status: 400,
  type: 'invalid_request_error',
  param: PART,
  error: { message: `What '${PART}' names by its address ${sentence}.` },
})

/** The same address in the ways in which it can be written: in numbers of every kind, and as IPv6. */
function spellingsOf(host: string): string[] {
  const bytes = host.split('.').map(Number)
  const whole = bytes.reduce((sum, byte) => sum * 256 + byte, 0)
  const hex = whole.toString(16).padStart(8, '0')
  const octal = bytes.map((byte) => `0${byte.toString(8)}`).join('.')
  const fullWidth = host.replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit)))
  const asIpv6 = [`[::ffff:${host}]`, `[::ffff:${hex.slice(0, 4)}:${hex.slice(4)}]`]
  return [host, String(whole), `0x${hex}`, octal, fullWidth, ...asIpv6]
}

test('an image at a loopback address is refused however the address is written, and nobody is there', async () => {
  for (const host of spellingsOf(listener.host)) {
    const address = `https://${host}:${WEB_PORT}/river.png`
    expect(await refusedLook(customer, address)).toMatchObject(refusal('does not lead to a public server'))
  }
  expect(await listener.visitors()).toBe(0)
})

test.each([
  ['a private network', 'https://10.1.2.3/river.png'],
  ['another machine of the same network', 'https://192.168.0.1/river.png'],
  ['the metadata of a cloud', 'https://169.254.169.254/river.png'],
  ['the metadata of a cloud, as one number', 'https://2852039166/river.png'],
  ['the metadata of a cloud, as IPv6', 'https://[::ffff:169.254.169.254]/river.png'],
  ['localhost in IPv6', 'https://[::1]/river.png'],
])('an image in %s is refused', async (_where, address) => {
  expect(await refusedLook(customer, address)).toMatchObject(refusal('does not lead to a public server'))
})

test('an image of a server inside is asked for neither in plain HTTP nor at any other port', async () => {
  await using hidden = await openListener('127.0.0.1')
  const at = `127.0.0.1:${hidden.port}/river.png`

  expect(await refusedLook(customer, `http://${at}`)).toMatchObject(refusal('does not begin with https://'))
  expect(await refusedLook(customer, `https://${at}`)).toMatchObject(refusal('names a port other than 443 or 8443'))
  expect(await hidden.visitors()).toBe(0)
})

test('a message with such an image is refused alike, and so is a stream of either dialect', async () => {
  const address = `https://${listener.host}:${WEB_PORT}/stream.png`
  const source = { type: 'url', url: address }
  const message = { ...askingMessage('image'), messages: [{ role: 'user', content: [{ type: 'image', source }] }] }
  const { post } = rawMessagesOf(weir.url, customer.apiKey)
  const words = 'names by its address does not lead to a public server.'

  const plain = await post('/v1/messages', message)
  expect([plain.status, await plain.text()]).toEqual([400, expect.stringContaining(words)])
  expect(await (await post('/v1/messages', { ...message, stream: true })).text()).toContain(words)
  const stream = await customer.client.chat.completions.create({ ...showing(address), stream: true })
  await expect(Array.fromAsync(stream)).rejects.toThrow(words)
  expect(await listener.visitors()).toBe(0)
  expect(await customer.charges()).toEqual([])
})

test('where private networks may be asked, an image there is shown to the model', async () => {
  await using server = await openServer((_request, response) => response.end(PNG))
  const another = await customerOf(inside)

  for (const host of ['127.0.0.1', '2130706433', 'localhost']) {
    const answer = await look(another, `http://${host}:${server.port}/river.png`)
    expect(plainTextOf(answer)).toBe(`image/png of ${PNG.length} bytes`)
  }
})

const NOT_THERE = 'leads to no server that may be asked'

test('even there, what is not an address of that network but a way around it is refused, and nobody is there', async () => {
  await using hidden = await openListener('127.0.0.1')
  const ways = ['[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::127.0.0.1]', '[64:ff9b::7f00:1]', '0.0.0.0', '0', '[::]']

  for (const host of ways) {
    const address = `http://${host}:${hidden.port}/river.png`
    expect(await refusedLook(insider, address)).toMatchObject(refusal(NOT_THERE))
  }
  expect(await hidden.visitors()).toBe(0)
})

test.each([
  ['plainly', 'http://169.254.169.254/river.png'],
  ['as one number', 'http://2852039166/river.png'],
  ['as IPv6', 'http://[::ffff:a9fe:a9fe]/river.png'],
  ['in IPv6', 'http://[fd00:ec2::254]/river.png'],
])('even there, the metadata of a cloud is refused, written %s', async (_how, address) => {
  expect(await refusedLook(insider, address)).toMatchObject(refusal(NOT_THERE))
})

test('a server that may be asked leads nobody on to another', async () => {
  await using hidden = await openListener('127.0.0.1')
  const targets = [`http://127.0.0.1:${hidden.port}/river.png`, 'http://169.254.169.254/river.png']
  const asked: string[] = []
  await using server = await openServer(({ url: path = '' }, response) => {
    asked.push(path)
    response.writeHead(302, { location: targets[Number(path.slice(1))] }).end(PNG)
  })

  for (const at of targets.keys()) {
    const error = await refusedLook(insider, `http://127.0.0.1:${server.port}/${at}`)
    expect(error).toMatchObject(refusal('leads on to another address; name that one instead'))
  }
  expect(asked).toEqual(['/0', '/1'])
  expect(await hidden.visitors()).toBe(0)
})
