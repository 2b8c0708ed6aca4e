import type { CompletionJob } from '@weir/contracts'
import type { WatchEvent } from '@weir/relay'
import { expect, test, vi } from 'vitest'
import { type FollowDeps, follow } from './follow.ts'
import { USAGE_COST, answering, text, unasked } from './testing/backend.ts'
import { type ServiceFixture, requestOf, serviceFixture } from './testing/service.ts'

const streaming = requestOf({ stream: true })
const never = new AbortController().signal

/** Follows a completion to its end; `next` is its next event, `rest` the kinds of all that come after. */
function following(service: ServiceFixture, job: CompletionJob, deps: Partial<FollowDeps> = {}, signal = never) {
  const events = follow({ ...service, ...deps }, job, signal)
  return {
    next: async () => (await events.next()).value,
    rest: async () =>
      (await Array.fromAsync(events)).map((event) => (event.kind === 'end' ? event.outcome : event.kind)),
  }
}

/** A replica whose watcher is told these events. */
const told = (...events: WatchEvent[]): Pick<FollowDeps, 'replies'> => ({
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

const lost: WatchEvent = { kind: 'lost' }
const frame: WatchEvent = { kind: 'frame', frame: { epoch: 1, sequence: 1, chunks: [text('Water')] } }
const interrupted = expect.objectContaining({ error: expect.objectContaining({ code: 'stream_interrupted' }) })

test('a completion is handed over and followed through its frames to its end', async () => {
  await using service = await serviceFixture()
  const job = await service.admit(streaming)
  const follower = following(service, job)

  const first = await follower.next()
  await service.run(job, answering)

  expect(first).toEqual({ kind: 'handed_over' })
  const rest = await follower.rest()
  expect(new Set(rest.slice(0, -1))).toEqual(new Set(['frame']))
  expect(rest.at(-1)).toMatchObject({ state: 'completed' })
})

test('a completion that was handed over waits on the lane', async () => {
  await using service = await serviceFixture()
  const job = await service.admit()

  await following(service, job).next()

  expect(await service.lane.has(job.id)).toBe(true)
  expect(await service.relay.inspect(job.id)).toEqual({ decided: undefined, isRunning: false, attempts: [] })
})

test('a completion that Redis loses before anybody has seen text is run all the same', async () => {
  await using service = await serviceFixture()
  const job = await service.admit(streaming)
  const follower = following(service, job)
  await follower.next()
  await service.relay.discard(job.id)
  const rest = follower.rest()

  await vi.waitFor(async () => expect(await service.relay.inspect(job.id)).toBeDefined(), { timeout: 20_000 })
  await service.run(job, answering)

  expect((await rest).at(-1)).toMatchObject({ state: 'completed' })
})

test('an attempt from before the loss is not heard after it', async () => {
  await using service = await serviceFixture()
  const job = await service.admit(streaming)
  const follower = following(service, job, told(lost))
  await follower.next()
  await service.relay.claim(job.id, service.worker, 3)
  await service.relay.discard(job.id)

  await follower.rest()
  await service.relay.claim(job.id, service.worker, 3)

  expect(await service.relay.emit(job.id, { epoch: 1, sequence: 1, chunks: [text('Water')] })).toBe('stale')
})

test('a completion that Redis loses after text was seen ends with an error, not with another text', async () => {
  await using service = await serviceFixture()
  const job = await service.admit(streaming)
  const submit = vi.spyOn(service.relay, 'submit')

  const follower = following(service, job, told(frame, lost))
  await follower.next()

  expect(await follower.rest()).toEqual(['frame', interrupted])
  expect(submit).toHaveBeenCalledOnce()
})

test('frames that are gone for good end a stream with an error', async () => {
  await using service = await serviceFixture()
  const job = await service.admit(streaming)

  const follower = following(service, job, told(frame, { kind: 'gap' }))
  await follower.next()

  expect(await follower.rest()).toEqual(['frame', interrupted])
})

test('a completion is not handed over for ever', async () => {
  await using service = await serviceFixture()
  const job = await service.admit()
  const submit = vi.spyOn(service.relay, 'submit')

  const follower = following(service, job, told(...Array.from({ length: 10 }, () => lost)))
  await follower.next()

  expect(await follower.rest()).toEqual([interrupted])
  expect(submit.mock.calls.map(([, , submission]) => Math.sign(submission!))).toEqual([0, 1, 1, 1, 1])
})

test('a Redis that is away when a completion is handed over again is asked once more', async () => {
  await using service = await serviceFixture()
  const job = await service.admit()
  const submit = vi.spyOn(service.relay, 'submit')
  const follower = following(service, job, told(lost, lost))
  await follower.next()

  submit.mockRejectedValueOnce(new Error('Connection is closed.'))
  await follower.rest()

  expect(submit.mock.calls.map(([, , submission]) => Math.sign(submission!))).toEqual([0, 1, 1])
})

test('a completion that cannot be handed over throws before anything is told, and costs nothing', async () => {
  await using service = await serviceFixture()
  const job = await service.admit()
  const away = new Error('Connection is closed.')

  const follower = following(service, job, { lane: { enqueue: () => Promise.reject(away) } })

  await expect(follower.next()).rejects.toBe(away)
  expect(await service.books()).toEqual({ charged: 0n, reserved: 0n })
})

test('whoever stops following hears no more, and the completion goes on', async () => {
  await using service = await serviceFixture()
  const job = await service.admit()
  const leaving = new AbortController()
  const follower = following(service, job, {}, leaving.signal)
  await follower.next()

  leaving.abort()

  expect(await follower.rest()).toEqual([])
  await service.run(job, answering)
  expect(await service.run(job, unasked)).toEqual({ kind: 'done' })
})

const kept = { attended: false, keepMs: 60_000 }

test('a completion that ended before Redis lost it is not run again: what is kept of it is told', async () => {
  await using service = await serviceFixture()
  const job = await service.admit(requestOf(), kept)
  const follower = following(service, job, told(lost))
  await follower.next()
  await service.run(job, answering)
  await service.relay.discard(job.id)

  expect(await follower.rest()).toEqual(['stored'])
  expect(await service.lane.has(job.id)).toBe(true)
  expect(await service.relay.inspect(job.id)).toBeUndefined()
  expect(await service.charges()).toHaveLength(1)
})

test('a completion that was settled before its answer was lost stays settled', async () => {
  await using service = await serviceFixture()
  const job = await service.admit()
  const follower = following(service, job, told(lost, lost))
  await follower.next()
  await service.run(job, answering)
  await service.relay.discard(job.id)

  await expect(follower.rest()).rejects.toMatchObject({ code: 'stream_expired' })
  expect(await service.charges()).toHaveLength(1)
  expect(await service.books()).toEqual({ charged: USAGE_COST, reserved: 0n })
})

test('a completion whose stream is lost while it runs is ended there and then, for nothing', async () => {
  await using service = await serviceFixture()
  const job = await service.admit(streaming)
  const follower = following(service, job, told(frame, { kind: 'gap' }))
  await follower.next()

  expect(await follower.rest()).toEqual(['frame', interrupted])
  expect(await service.books()).toEqual({ charged: 0n, reserved: 0n })
  await service.run(job, answering)
  expect(await service.charges()).toEqual([])
})

test('a kept completion goes on when its stream is lost, and its reader is told to ask for it', async () => {
  await using service = await serviceFixture()
  const job = await service.admit(streaming, kept)
  const follower = following(service, job, told(frame, { kind: 'gap' }))
  await follower.next()

  await expect(follower.rest()).rejects.toMatchObject({ code: 'stream_expired' })
  await service.run(job, answering)
  expect(await service.rowOf(job)).toMatchObject({ state: 'completed' })
})

test('a Postgres that is away when a completion was lost is asked again', async () => {
  await using service = await serviceFixture()
  const job = await service.admit()
  const find = vi.fn(service.completionRecords.find).mockRejectedValueOnce(new Error('Connection terminated'))
  const submit = vi.spyOn(service.relay, 'submit')
  const follower = following(service, job, { ...told(lost, lost), completionRecords: { find } })
  await follower.next()

  await follower.rest()

  expect(submit).toHaveBeenCalledTimes(2)
})

test('nothing is promised while it is not known whether a lost answer was settled', async () => {
  await using service = await serviceFixture()
  const job = await service.admit(streaming)
  const endings = { ...service.endings, submit: () => Promise.reject(new Error('Connection terminated')) }
  const follower = following(service, job, { ...told(frame, { kind: 'gap' }), endings })
  await follower.next()

  await expect(follower.rest()).rejects.toMatchObject({ code: 'stream_expired' })
})
