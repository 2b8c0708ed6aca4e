import { type CompletionJob, newAccountId } from '@weir/contracts'
import type { WatchEvent } from '@weir/relay'
import { expect, test, vi } from 'vitest'
import { type RejoinDeps, rejoin } from './rejoin.ts'
import { answering, holding, text } from './testing/backend.ts'
import { type ServiceFixture, requestOf, serviceFixture } from './testing/service.ts'

const streaming = requestOf({ stream: true })
const kept = { keepMs: 60_000 }
const never = new AbortController().signal

const rejoining = (service: ServiceFixture, job: CompletionJob, deps: Partial<RejoinDeps> = {}, signal = never) =>
  rejoin({ ...service, ...deps }, job, signal)

/** All that somebody is told who joins now: frames by their text, the end by its state. */
async function toldTo(...rejoined: Parameters<typeof rejoining>): Promise<string[]> {
  const events = await Array.fromAsync(rejoining(...rejoined))
  return events.map((event) => {
    if (event.kind !== 'frame') return `${event.kind} ${event.outcome.error?.code ?? event.outcome.state}`
    return event.frame.chunks.map((chunk) => (chunk.type === 'text' ? chunk.text : '')).join('')
  })
}

/** A replica whose watcher is told these events. */
const watching = (...events: WatchEvent[]): Pick<RejoinDeps, 'replies'> => ({
  replies: {
    channel: 'replica',
    watch: () => ({
      async *events() {
        yield* events
      },
      [Symbol.dispose]() {},
    }),
  },
})
const frame: WatchEvent = { kind: 'frame', frame: { epoch: 1, sequence: 1, chunks: [text('Water')] } }
const lost: WatchEvent = { kind: 'lost' }

test('whoever joins a running stream is told it from its beginning to its end', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(streaming)
  const backend = holding(text('Water is '), text('lazy.'))
  const running = service.run(job, backend.play)
  await backend.reached

  const told = toldTo(service, job)
  backend.release()
  await running

  expect((await told).join('|')).toMatch(/^Water is \|?lazy\.\|?\|end completed$/)
})

test('whoever joins is one of those who wait, until the end', async () => {
  await using service = await serviceFixture()
  const job = await service.admit()
  await service.relay.submit(job, undefined)
  const events = rejoining(service, job)
  const first = events.next()

  await vi.waitFor(async () =>
    expect(await service.redis.hget(service.stateOf(job.id), 'audience')).toBe(`${service.replies.channel} `),
  )
  await service.run(job, answering)

  expect(await first).toMatchObject({ value: { kind: 'end', outcome: { state: 'completed' } } })
})

test('whoever joins after the end is told all of it', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(streaming)
  await service.run(job, answering)

  expect((await toldTo(service, job)).join('|')).toMatch(/^Water is \|?lazy\.\|?\|end completed$/)
})

test('one that Redis has forgotten is told from what was kept, at the cost that the ledger charged', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(streaming, kept)
  await service.run(job, answering)
  await service.relay.discard(job.id)

  const [only, ...others] = await Array.fromAsync(rejoining(service, job))

  expect(others).toEqual([])
  expect(only).toMatchObject({
    kind: 'stored',
    outcome: { state: 'completed', cost: 20n, choices: [{ parts: [{ type: 'text', text: 'Water is lazy.' }] }] },
  })
})

test('one that has ended and was not kept is no longer there to be told', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(streaming)
  await service.run(job, answering)
  await service.relay.discard(job.id)

  await expect(toldTo(service, job)).rejects.toMatchObject({ code: 'stream_expired' })
})

test('nobody joins what belongs to another account', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(streaming, kept)
  await service.run(job, answering)
  await service.relay.discard(job.id)

  const told = toldTo(service, { ...job, accountId: newAccountId() })

  await expect(told).rejects.toMatchObject({ code: 'not_found' })
})

test('one that is about to be handed over is waited for', async () => {
  await using service = await serviceFixture()
  const job = await service.admit(streaming)
  const told = toldTo(service, job)
  const attach = vi.spyOn(service.relay, 'attach')
  await vi.waitFor(() => expect(attach).toHaveBeenCalled(), 10_000)

  await service.relay.submit(job, undefined)
  await service.run(job, answering)

  expect((await told).at(-1)).toBe('end completed')
})

test('one that is lost after text was seen ends with an error, and not with the text of another attempt', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(streaming, kept)
  await service.run(job, answering)

  await expect(toldTo(service, job, watching(frame, lost))).rejects.toMatchObject({ code: 'stream_expired' })
})

test('frames that are gone for good end it with an error', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(streaming)

  const told = toldTo(service, job, watching(frame, { kind: 'gap' }))
  await expect(told).rejects.toMatchObject({ code: 'stream_expired' })
})

test('whoever stops listening is told no more, and nothing ends', async () => {
  await using service = await serviceFixture()
  const job = await service.submitted(streaming)
  const leaving = new AbortController()
  const told = toldTo(service, job, {}, leaving.signal)

  leaving.abort()

  expect(await told).toEqual([])
  expect(await service.rowOf(job)).toMatchObject({ state: 'queued' })
})
