import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { callsOf } from '../e2e/testing/operator.ts'
import type { Call, Client, Failure, Said, Tool } from './client.ts'
import type { Door } from './doors.ts'
import type { Kind } from './mock-backend/answer.ts'
import { echoOf, FOREIGN } from './mock-backend/scripts.ts'
import { modelNamed, type Place } from './place.ts'

/** One thing that a client does with one kind of backend. Throws where it does not work. */
export type Feature = {
  name: string
  /** What a client must be able to do itself. */
  needs?: (keyof Client['cannot'])[]
  check(play: Play): Promise<void>
}

const POLL_MS = 25

export type Play = { place: Place; client: Client; kind: Kind }

const tool: Tool = {
  name: 'get_weather',
  description: 'The weather in a city',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
  run: (args) => `sunny in ${(args as { city: string }).city}`,
}

const filled: Tool['parameters'] = {
  type: 'object',
  properties: { city: { type: 'string' }, count: { type: 'integer' } },
  required: ['city', 'count'],
  additionalProperties: false,
}

const png =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

/** The rows of the matrix, on both kinds of backends. */
export const features: readonly Feature[] = [
  { name: 'text', check: text },
  { name: 'streamed text', check: streamedText },
  { name: 'text torn at every byte', check: tornText },
  { name: 'a tool, called and answered', check: (play) => useTool(play, 'plain') },
  { name: 'the same, streamed', needs: ['streamed tools'], check: (play) => useTool(play, 'streamed') },
  { name: 'JSON by a schema', check: jsonBySchema },
  { name: 'an image', check: image },
  { name: 'usage', check: usage },
  { name: 'credits of an answer', needs: ['credits'], check: (play) => credits(play, 'plain') },
  { name: 'credits of a stream', needs: ['streamed credits'], check: (play) => credits(play, 'streamed') },
  { name: 'giving up midway cancels', check: abort },
  { name: 'a backend that breaks midway is an error', check: (play) => brokenMidway(play, 'break') },
  { name: 'a stream without its end is an error', check: (play) => brokenMidway(play, 'eof') },
  { name: 'a timeout of the client cancels', check: timeout },
]

/** A prompt that no other call has, and all that it takes to ask it. */
export function newCall({ place, kind }: Play, script: string, door: Door = place.doors.open()): Call & { door: Door } {
  const prompt = `Tell me about ${FOREIGN} ${randomBytes(6).toString('hex')}`
  return { door, url: door.url, apiKey: place.customer.apiKey, model: modelNamed(kind, script), prompt }
}

async function text(play: Play) {
  const call = newCall(play, 'echo')
  expect((await play.client.ask(call)).text).toBe(echoOf(call.prompt))
}

async function streamedText(play: Play) {
  const call = newCall(play, 'echo')
  const pieces: string[] = []
  const { text } = await play.client.stream(call, (piece) => pieces.push(piece))
  expect(text).toBe(echoOf(call.prompt))
  expect(pieces.join('')).toContain(text)
}

async function tornText(play: Play) {
  const said = [
    await play.client.ask(newCall(play, 'bytewise')),
    await play.client.stream(newCall(play, 'bytewise'), () => {}),
  ]
  expect(said.map(({ text }) => text)).toEqual([FOREIGN, FOREIGN])
}

async function useTool(play: Play, how: 'plain' | 'streamed') {
  const { text } = await play.client.useTool(newCall(play, 'tool'), tool, how)
  expect(text).toBe('The tool says: sunny in Zürich')
}

async function jsonBySchema(play: Play) {
  expect(await play.client.fill(newCall(play, 'json'), filled)).toEqual({ city: 'Zürich', count: 3 })
}

async function image(play: Play) {
  const { text } = await play.client.ask({ ...newCall(play, 'image'), image: png })
  expect(text).toBe(`image/png of ${Buffer.from(png.split(',')[1]!, 'base64').length} bytes`)
}

async function usage(play: Play) {
  expect(await play.client.ask(newCall(play, 'echo'))).toMatchObject({ inputTokens: 11, outputTokens: 7 })
}

async function credits(play: Play, how: 'plain' | 'streamed') {
  const call = newCall(play, 'echo')
  const said = await (how === 'plain' ? play.client.ask(call) : play.client.stream(call, () => {}))
  // Eleven tokens at 0.001 and seven at 0.002.
  expect(said.credits).toBe(0.025)
}

async function abort(play: Play) {
  const call = newCall(play, 'slow')
  const giveUp = new AbortController()
  let heard = ''
  const asked = play.client.stream({ ...call, signal: giveUp.signal }, (piece) => {
    heard += piece
    giveUp.abort()
  })
  // Some clients end quietly where their own caller gave up.
  await asked.catch(() => {})
  expect(heard).not.toBe('')

  await play.place.mock.left(call.prompt)
  await untilCancelled(play, call.door)
}

async function brokenMidway(play: Play, script: string) {
  const call = newCall(play, script)
  const { release } = play.place.mock.hold(call.prompt)
  let heard = ''
  const asked = play.client.stream(call, (piece) => {
    heard += piece
    release()
  })

  const failure = await failureOf(play, asked)
  expect(failure.message).toMatch(/\w/)
  expect(heard).not.toBe('')
  // What is answered with 200 is not tried again.
  expect(call.door.tries).toHaveLength(1)
}

async function timeout(play: Play) {
  const call = newCall(play, 'hang')
  // On a busy machine the client may have left before the backend was asked.
  do await failureOf(play, play.client.ask({ ...call, timeoutMs: 900, maxRetries: 0 }))
  while (play.place.mock.callsFor(call.prompt) === 0)
  await play.place.mock.left(call.prompt)
}

/** What a call that must fail fails with. */
export const failureOf = ({ client }: Play, asked: Promise<Said>): Promise<Failure> =>
  asked.then(
    () => expect.unreachable('It did not fail'),
    (error: unknown) => client.failureOf(error),
  )

/** The completion is told by the header of its answer, and looked at as any client may. */
async function untilCancelled({ place }: Play, { tries }: Door) {
  const id = String(tries[0]?.headers['x-weir-completion-id'])
  const own = callsOf(place.weir, place.customer.apiKey)
  const status = async () => (await own.get(`chat/completions/${id}`)).body['status']
  while ((await status()) !== 'cancelled') await sleep(POLL_MS)
}
