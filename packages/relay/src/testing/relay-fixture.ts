import { once } from 'node:events'
import type { CompletionJob } from '@weir/contracts'
import { openTestRedis } from '@weir/local/testing'
import { type OpenRedisOptions, openRedis } from '@weir/runtime'
import { relayKeys } from '../keys.ts'
import { createRelay } from '../relay.ts'
import { openReplies } from '../replies.ts'
import { jobOf, textChunk } from './jobs.ts'

export const WORKER = { channel: 'worker-channel', name: 'worker' }

/** A relay on a real Redis. */
export async function relayFixture() {
  const resources = new AsyncDisposableStack()
  const { url, prefix } = resources.use(await openTestRedis())
  const connect = async (kind: OpenRedisOptions['kind'] = 'command') =>
    resources.use(await openRedis(url, { kind, timeoutMs: 10_000, onError: () => {} }))
  const redis = await connect()
  const relay = createRelay(redis, { prefix, retentionMs: 60_000 })

  async function submitted(job: CompletionJob = jobOf(), replyTo = 'nobody'): Promise<CompletionJob> {
    await relay.submit(job, replyTo)
    return job
  }

  return {
    prefix,
    redis,
    relay,
    connect,
    keys: relayKeys(prefix),
    submitted,
    /** A completion that was claimed once: its attempt has epoch 1. */
    async running(job: CompletionJob = jobOf(), replyTo = 'nobody'): Promise<CompletionJob> {
      await submitted(job, replyTo)
      await relay.claim(job.id, WORKER, 3)
      return job
    },
    claim: ({ id }: CompletionJob, maxAttempts = 3, run?: number) => relay.claim(id, WORKER, maxAttempts, run),
    /** Emits a frame of the first epoch whose text is its number. */
    emit: ({ id }: CompletionJob, sequence: number) => relay.emit(id, frameOf(sequence)),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

/** A frame of the first epoch whose text is its number. */
export const frameOf = (sequence: number) => ({ epoch: 1, sequence, chunks: [textChunk(`${sequence} `)] })

/** A replica that listens, on a relay fixture. */
export async function repliesFixture({ bufferBytes = 100_000 } = {}) {
  const fixture = await relayFixture()
  const { relay, prefix, redis } = fixture
  const subscriber = await fixture.connect('subscriber')
  const errors: unknown[] = []
  const onError = (error: unknown) => errors.push(error)
  const replies = await openReplies({ subscriber, relay, prefix, replica: 'replica', bufferBytes, onError })

  return {
    ...fixture,
    ...replies,
    errors,
    subscriber,
    /** Cuts the subscriber's connection and waits until it listens again. */
    async cutSubscriber() {
      const back = once(subscriber, 'ready')
      await redis.client('KILL', 'ID', await subscriber.client('ID'))
      await back
    },
  }
}
