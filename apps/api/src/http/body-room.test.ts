import { fastify } from 'fastify'
import { expect, test } from 'vitest'
import { createBodyRoom } from './body-room.ts'
import { handleErrors } from './errors.ts'

const LIMIT = 1_000_000

/** A server with room for two and a half large bodies, whose answers wait until the test says so. */
async function fixture() {
  const room = createBodyRoom({ roomBytes: 500_000, limitBytes: LIMIT })
  const app = fastify({ bodyLimit: LIMIT })
  handleErrors(app)
  const arrivals: (() => void)[] = []
  const answers: (() => void)[] = []
  app.post('/', { onRequest: room.forBody }, async ({ bodyIsDone }) => {
    const answered = new Promise<void>((resolve) => answers.push(resolve))
    arrivals.shift()?.()
    await answered
    bodyIsDone?.()
    return {}
  })
  const post = (bytes: number) =>
    app.inject({
      method: 'POST',
      url: '/',
      payload: JSON.stringify('x'.repeat(bytes)),
      headers: { 'content-type': 'application/json' },
    })
  return {
    room,
    post,
    /** Asks, and resolves once its body has been read. */
    async arrived(bytes: number) {
      const arrival = new Promise<void>((resolve) => arrivals.push(resolve))
      const response = post(bytes).then(({ statusCode }) => statusCode)
      await arrival
      return { answer: () => (answers.shift()?.(), response) }
    },
    [Symbol.asyncDispose]: () => app.close(),
  }
}

test('large bodies are read as long as there is room, and then refused until there is', async () => {
  await using server = await fixture()
  const first = await server.arrived(200_000)
  const second = await server.arrived(200_000)

  const refused = await server.post(200_000)
  expect([refused.statusCode, refused.headers['retry-after'], refused.json().error.code]).toEqual([
    503,
    '1',
    'overloaded',
  ])

  expect(await first.answer()).toBe(200)
  const third = await server.arrived(200_000)
  expect([await second.answer(), await third.answer()]).toEqual([200, 200])
  expect(server.room.taken).toBe(0)
})

test('small bodies need no room, and a body larger than all of it is read alone', async () => {
  await using server = await fixture()
  const large = await server.arrived(800_000)
  const small = await server.arrived(1_000)

  expect([await large.answer(), await small.answer()]).toEqual([200, 200])
  expect(server.room.taken).toBe(0)
})

test('a body that is larger than any may be is refused for that, and takes no room', async () => {
  await using server = await fixture()

  expect((await server.post(LIMIT + 1)).statusCode).toBe(413)
  expect(server.room.taken).toBe(0)
})
