import { newAccountId, newCompletionId, newKeyId } from '@weir/contracts'
import { expect, test } from 'vitest'
import { admissionFixture, kindsOf } from './testing/admission-fixture.ts'

test('a hundred completions ask at once, through four replicas, and ten get in', async () => {
  await using fixture = await admissionFixture()
  const replicas = await Promise.all(Array.from({ length: 4 }, fixture.another))

  const verdicts = await Promise.all(Array.from({ length: 100 }, (_, i) => replicas[i % 4]!.enter(fixture.entrant())))

  expect(kindsOf(verdicts).filter((kind) => kind === 'admitted')).toHaveLength(10)
  expect(verdicts.find(({ kind }) => kind !== 'admitted')).toMatchObject({
    kind: 'limited',
    bound: { scope: 'account', name: 'concurrent', limit: 10 },
  })
})

test('completions come and go through four replicas and never more than ten live', async () => {
  await using fixture = await admissionFixture()
  const replicas = await Promise.all(Array.from({ length: 4 }, fixture.another))
  const counts: number[] = []
  let inside = 0
  let mostInside = 0

  const visitor = async (_: unknown, i: number) => {
    for (let visit = 0; visit < 20; visit++) {
      const entrant = fixture.entrant()
      const verdict = await replicas[i % 4]!.enter(entrant)
      counts.push(await fixture.redis.zcard(fixture.places))
      if (verdict.kind !== 'admitted') continue
      mostInside = Math.max(mostInside, ++inside)
      await replicas[(i + 1) % 4]!.started(fixture.accountId, entrant.id)
      inside--
      await replicas[(i + 2) % 4]!.leave(fixture.accountId, entrant.id)
    }
  }
  await Promise.all(Array.from({ length: 40 }, visitor))

  expect({ counted: Math.max(...counts), mostInside: mostInside <= 10 }).toEqual({ counted: 10, mostInside: true })
  expect(await fixture.keys()).toEqual([])
})

test('the places of a replica that was killed free themselves when their leases have ended', async () => {
  await using fixture = await admissionFixture()
  const killed = await fixture.another()
  await Promise.all(Array.from({ length: 10 }, () => killed.enter(fixture.entrant())))
  expect(await fixture.take()).toMatchObject({ kind: 'limited' })

  await fixture.endLeases()
  const verdicts = await Promise.all(Array.from({ length: 11 }, () => fixture.take()))

  expect(kindsOf(verdicts).filter((kind) => kind === 'admitted')).toHaveLength(10)
})

test('a place may be held for longer, but not by one that has lost it', async () => {
  await using fixture = await admissionFixture({ maxLivePerAccount: 1, maxQueuedPerAccount: 1, tokensPerMinute: 100 })
  const limits = { key: { concurrent: 1 } }
  const id = await fixture.taken({ leaseMs: 1_000, limits })

  await fixture.hold(fixture.accountId, id, 1_000_000)
  await fixture.hold(fixture.accountId, id, 1_000)
  await fixture.hold(fixture.accountId, newCompletionId(), 1_000_000)

  const leases = (await fixture.keys()).filter((key) => !key.includes(':rates:'))
  const lives = await Promise.all(leases.map((key) => fixture.redis.pttl(key)))
  expect(lives.map((life) => life > 900_000)).toEqual([true, true, true, true, true])
  expect(await fixture.redis.zcard(fixture.places)).toBe(1)
  await fixture.leave(fixture.accountId, id)
  expect((await fixture.keys()).filter((key) => !key.includes(':rates:'))).toEqual([])
})

test('what a completion took beside its place is forgotten with its lease', async () => {
  await using fixture = await admissionFixture({ tokensPerMinute: 1_000 })
  const limits = { key: { concurrent: 10 } }
  await Promise.all(Array.from({ length: 5 }, () => fixture.take({ limits })))
  await fixture.endLeases()

  const id = await fixture.taken({ limits })

  expect(await fixture.redis.hkeys(`${fixture.prefix}:taken:{${fixture.accountId}}`)).toEqual([id])
})

test('nothing of an account outlives its leases and its minute', async () => {
  await using fixture = await admissionFixture({ requestsPerMinute: 60, tokensPerMinute: 60 })
  const limits = { key: { concurrent: 2, requestsPerMinute: 60 } }

  await fixture.take({ leaseMs: 1_000_000, limits })
  await fixture.take({ leaseMs: 1_000, limits })

  const keys = await fixture.keys()
  const lives = await Promise.all(keys.map((key) => fixture.redis.pttl(key)))
  const [rates, leases] = [
    lives.filter((_, i) => keys[i]!.includes(':rates:')),
    lives.filter((_, i) => !keys[i]!.includes(':rates:')),
  ]
  expect([rates.length, leases.length]).toEqual([2, 5])
  for (const life of rates) expect(life > 0 && life <= 60_000).toBe(true)
  for (const life of leases) expect(life > 60_000 && life <= 1_000_000).toBe(true)
})

test('a completion that asks again, as a repeated command does, takes nothing more', async () => {
  await using fixture = await admissionFixture({ requestsPerMinute: 10 })
  const id = newCompletionId()

  const verdicts = [await fixture.take({ id }), await fixture.take({ id }), await fixture.take()]

  expect(kindsOf(verdicts)).toEqual(['admitted', 'admitted', 'admitted'])
  expect(verdicts.map(({ standing }) => standing?.requests?.remaining)).toEqual([9, 9, 8])
  expect(await fixture.redis.zcard(fixture.places)).toBe(2)
})

test('leaving twice gives one place back, not two', async () => {
  await using fixture = await admissionFixture({ maxLivePerAccount: 2 })
  await fixture.take()
  const id = await fixture.taken()

  await fixture.leave(fixture.accountId, id)
  await fixture.leave(fixture.accountId, id)

  expect(kindsOf([await fixture.take(), await fixture.take()])).toEqual(['admitted', 'limited'])
})

test('one account that is full keeps nobody else out', async () => {
  await using fixture = await admissionFixture({ maxLivePerAccount: 1 })
  await fixture.take()

  expect(await fixture.take()).toMatchObject({ kind: 'limited' })
  expect(await fixture.take({ accountId: newAccountId() })).toMatchObject({ kind: 'admitted' })
})

test('a key has bounds of its own, and another key of its account does not feel them', async () => {
  await using fixture = await admissionFixture()
  const limits = { key: { concurrent: 1 } }
  const id = await fixture.taken({ limits })

  expect(await fixture.take({ limits })).toMatchObject({
    kind: 'limited',
    bound: { scope: 'key', name: 'concurrent', limit: 1 },
  })
  expect(await fixture.take({ keyId: newKeyId() })).toMatchObject({ kind: 'admitted' })
  await fixture.leave(fixture.accountId, id)
  expect(await fixture.take({ limits })).toMatchObject({ kind: 'admitted' })
})

test('what was decided for an account stands above the settings, and may be more or less', async () => {
  await using fixture = await admissionFixture({ maxLivePerAccount: 2 })

  const verdicts = [
    await fixture.take({ limits: { account: { concurrent: 1 } } }),
    await fixture.take({ limits: { account: { concurrent: 1 } } }),
    await fixture.take({ limits: { account: { concurrent: 3 } } }),
    await fixture.take(),
    await fixture.take({ limits: { account: { concurrent: 3 } } }),
  ]

  expect(kindsOf(verdicts)).toEqual(['admitted', 'limited', 'admitted', 'limited', 'admitted'])
})

test('completions that no worker has begun have a bound of their own, and a worker that begins one makes room', async () => {
  await using fixture = await admissionFixture({ maxQueuedPerAccount: 2 })
  const limits = { key: { queued: 1 } }
  const [first] = [await fixture.taken(), await fixture.taken()]
  expect(await fixture.take()).toMatchObject({ kind: 'limited', bound: { scope: 'account', name: 'queued', limit: 2 } })

  await fixture.started(fixture.accountId, first)
  const byKey = await fixture.taken({ limits })
  await fixture.started(fixture.accountId, byKey)

  expect(await fixture.take({ limits })).toMatchObject({ kind: 'admitted' })
  expect(await fixture.redis.zcard(fixture.places)).toBe(4)
})

test('one that ends without having begun makes room among those that have not', async () => {
  await using fixture = await admissionFixture({ maxQueuedPerAccount: 1 })
  const limits = { key: { queued: 1 } }
  const id = await fixture.taken({ limits })

  await fixture.leave(fixture.accountId, id)

  expect(await fixture.take({ limits })).toMatchObject({ kind: 'admitted' })
})

test('a lane that is full lets nobody in and keeps nothing', async () => {
  await using fixture = await admissionFixture({ maxWaiting: 2, requestsPerMinute: 5, tokensPerMinute: 100 })
  await fixture.enqueue(newCompletionId())
  expect(await fixture.take()).toMatchObject({ kind: 'admitted' })
  await fixture.enqueue(newCompletionId())

  expect(await fixture.take()).toMatchObject({ kind: 'lane_full', waiting: 2 })

  expect(await fixture.redis.zcard(fixture.places)).toBe(1)
  await fixture.redis.del(fixture.keyOf('wait'))
  expect((await fixture.take()).standing).toMatchObject({ requests: { remaining: 3 }, tokens: { remaining: 80 } })
})

test('whoever withdraws has not asked at all', async () => {
  await using fixture = await admissionFixture({ requestsPerMinute: 5, tokensPerMinute: 100 })
  const id = await fixture.taken()

  await fixture.withdraw(fixture.accountId, id)
  await fixture.withdraw(fixture.accountId, id)

  expect(await fixture.keys()).toEqual([])
})
