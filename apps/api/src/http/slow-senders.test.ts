import { once } from 'node:events'
import { type AddressInfo, type Socket, connect } from 'node:net'
import { fastify } from 'fastify'
import { expect, test } from 'vitest'
import { refuseMalformed } from './malformed.ts'
import { cutOffSlowSenders, givingTime } from './slow-senders.ts'

/** Reads a body for as long as it comes; on `/patient` it is given time. */
async function openReader({ wholeMs, stallMs = 60_000 }: { wholeMs: number; stallMs?: number }) {
  const app = fastify({ clientErrorHandler: refuseMalformed })
  cutOffSlowSenders(app, wholeMs)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_, payload, done) => done(null, payload))
  const count = async (body: unknown) => {
    let bytes = 0
    for await (const piece of body as AsyncIterable<Buffer>) bytes += piece.length
    return { bytes }
  }
  app.post('/', async ({ body }) => count(body))
  app.post('/patient', async ({ raw, body }) => {
    using _ = givingTime(raw, stallMs)
    return await count(body)
  })
  app.post('/refused', async (_, reply) => reply.code(400).send({ refused: true }))
  app.post('/gives-up', async ({ raw }, reply) => {
    using _ = givingTime(raw, stallMs)
    return await reply.code(400).send({ refused: true })
  })
  await app.listen({ port: 0 })
  return { port: (app.server.address() as AddressInfo).port, [Symbol.asyncDispose]: () => app.close() }
}

/** Begins a request on a bare socket; `said` is all that was answered by the time the connection was closed. */
async function begin(port: number, path: string, length: number): Promise<{ socket: Socket; said: Promise<string> }> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  const said = new Promise<string>((resolve) => {
    socket.on('data', (piece) => (text += String(piece))).on('error', () => {})
    socket.once('close', () => resolve(text))
  })
  await once(socket, 'connect')
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: a/b\r\nContent-Length: ${length}\r\n\r\n`,
  )
  return { socket, said }
}

test('who has not sent the whole of a request in time is told so and cut off', async () => {
  await using reader = await openReader({ wholeMs: 50 })
  const { socket, said } = await begin(reader.port, '/', 100)
  socket.write('some of it')

  expect(await said).toMatch(/^HTTP\/1.1 408 [^]*request_timeout/)
})

test('who is given time is heard to the end, however long it takes, while something comes', async () => {
  await using reader = await openReader({ wholeMs: 50, stallMs: 200 })
  // Cut off in its own time, later than the other one could have been without being given any.
  const impatient = await begin(reader.port, '/', 100)
  const { socket, said } = await begin(reader.port, '/patient', 200_000)
  socket.write('x'.repeat(100_000))
  await impatient.said
  socket.write('x'.repeat(100_000))

  expect(await said).toContain('{"bytes":200000}')
})

test('who is given time and brings too little is cut off', async () => {
  await using reader = await openReader({ wholeMs: 60_000, stallMs: 100 })
  const { socket, said } = await begin(reader.port, '/patient', 200_000)
  const dripping = setInterval(() => socket.write('x'), 10)

  expect(await said).toMatch(/^HTTP\/1.1 408 /)
  clearInterval(dripping)
})

test.each(['/refused', '/gives-up'])(
  'who has its answer and sends on is cut off without another one: %s',
  async (path) => {
    await using reader = await openReader({ wholeMs: 50 })
    const { socket, said } = await begin(reader.port, path, 1_000_000)
    socket.write('x')

    const answers = (await said).match(/HTTP\/1.1 \d+/g)
    expect(answers).toEqual(['HTTP/1.1 400'])
  },
)
