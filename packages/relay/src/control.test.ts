import { cancelled } from './testing/jobs.ts'
import { type CompletionId, type KeyId, newCompletionId, newKeyId } from '@weir/contracts'
import { expect, test } from 'vitest'
import { announceRevocation, onRevocation, openControl } from './control.ts'
import { relayFixture } from './testing/relay-fixture.ts'

test('a worker hears of the completions that are cancelled on it, and of no others', async () => {
  await using fixture = await relayFixture()
  const subscriber = await fixture.connect('subscriber')
  const heard: CompletionId[] = []
  const two = Promise.withResolvers<void>()
  const onCancel = (id: CompletionId) => heard.push(id) === 2 && two.resolve()
  const control = { subscriber, prefix: fixture.prefix, worker: 'mine', onCancel }
  const channel = await openControl(control)
  const jobs = await Promise.all([1, 2, 3].map(() => fixture.submitted()))

  for (const [i, worker] of [channel, 'another worker', channel].entries()) {
    await fixture.relay.claim(jobs[i]!.id, { channel: worker, name: 'worker' }, 3)
    await fixture.relay.cancel(jobs[i]!.id, cancelled())
  }
  await two.promise

  expect(heard).toEqual([jobs[0]!.id, jobs[2]!.id])
})

test('every replica forgets a revoked key', async () => {
  await using fixture = await relayFixture()
  const keyId = newKeyId()
  const forgotten = [1, 2].map(async () => {
    const subscriber = await fixture.connect('subscriber')
    const heard = Promise.withResolvers<KeyId>()
    await onRevocation(subscriber, fixture.prefix, heard.resolve)
    return { heard: heard.promise }
  })
  const replicas = await Promise.all(forgotten)

  await announceRevocation(fixture.redis, fixture.prefix, keyId)

  expect(await Promise.all(replicas.map(({ heard }) => heard))).toEqual([keyId, keyId])
})

test('a revocation that names no key is passed over', async () => {
  await using fixture = await relayFixture()
  const subscriber = await fixture.connect('subscriber')
  const heard = Promise.withResolvers<KeyId>()
  await onRevocation(subscriber, fixture.prefix, heard.resolve)
  const keyId = newKeyId()

  await announceRevocation(fixture.redis, fixture.prefix, newCompletionId() as never)
  await announceRevocation(fixture.redis, fixture.prefix, keyId)

  expect(await heard.promise).toBe(keyId)
})

test('a worker that was cut off hears of cancels again', async () => {
  await using fixture = await relayFixture()
  const subscriber = await fixture.connect('subscriber')
  const heard = Promise.withResolvers<CompletionId>()
  const channel = await openControl({ subscriber, prefix: fixture.prefix, worker: 'mine', onCancel: heard.resolve })
  await fixture.redis.client('KILL', 'ID', await subscriber.client('ID'))
  // Answered by the new connection, after it has subscribed again.
  await subscriber.ping()
  const job = await fixture.submitted()
  await fixture.relay.claim(job.id, { channel, name: 'worker' }, 3)

  await fixture.relay.cancel(job.id, cancelled())

  expect(await heard.promise).toBe(job.id)
})
