import { newCompletionId, newKeyId } from '@weir/contracts'
import { expect, test } from 'vitest'
import { admissionFixture, kindsOf } from './testing/admission-fixture.ts'

test('a minute has so many requests, over all replicas, and then tells how long to wait', async () => {
  await using fixture = await admissionFixture({ maxLivePerAccount: 1_000, requestsPerMinute: 3 })
  const replicas = await Promise.all(Array.from({ length: 4 }, fixture.another))

  const verdicts = await Promise.all(Array.from({ length: 40 }, (_, i) => replicas[i % 4]!.enter(fixture.entrant())))

  expect(kindsOf(verdicts).filter((kind) => kind === 'admitted')).toHaveLength(3)
  const refused = verdicts.find((verdict) => verdict.kind === 'limited')!
  expect(refused).toMatchObject({ bound: { scope: 'account', name: 'requestsPerMinute', limit: 3 } })
  // A third of a minute after the first.
  expect(refused.retryAfterMs).toBeGreaterThan(0)
  expect(refused.retryAfterMs).toBeLessThanOrEqual(20_000)
})

test('who waits as long as was told gets in, and not one more', async () => {
  await using fixture = await admissionFixture({ requestsPerMinute: 6 })
  for (let i = 0; i < 6; i++) await fixture.taken()
  const refused = await fixture.take()
  if (refused.kind !== 'limited') throw new Error(refused.kind)

  // As if so much time had passed.
  const rates = `${fixture.prefix}:rates:{${fixture.accountId}}`
  await fixture.redis.hincrbyfloat(rates, 'requests', -refused.retryAfterMs)

  expect(kindsOf([await fixture.take(), await fixture.take()])).toEqual(['admitted', 'limited'])
})

test('what is left of the rates is told with every answer', async () => {
  await using fixture = await admissionFixture({ requestsPerMinute: 4, tokensPerMinute: 1_000 })

  const first = await fixture.take({ tokens: 300 })
  const second = await fixture.take({ tokens: 300 })

  expect(first.standing).toMatchObject({
    requests: { limit: 4, remaining: 3 },
    tokens: { limit: 1_000, remaining: 700 },
  })
  expect(second.standing?.tokens).toMatchObject({ limit: 1_000, remaining: 400 })
  expect(first.standing?.requests?.resetMs).toBe(15_000)
  expect(first.standing?.tokens?.resetMs).toBe(18_000)
})

test('of account and key the one that has less left is told', async () => {
  await using fixture = await admissionFixture({ requestsPerMinute: 10 })
  const limits = { key: { requestsPerMinute: 7, tokensPerMinute: 100 } }
  await fixture.take({ keyId: newKeyId() })
  await fixture.take({ keyId: newKeyId() })

  const { standing } = await fixture.take({ limits })

  expect(standing).toMatchObject({ requests: { limit: 7, remaining: 6 }, tokens: { limit: 100, remaining: 90 } })
})

test('an account without rates is told nothing', async () => {
  await using fixture = await admissionFixture()
  expect((await fixture.take()).standing).toEqual({ requests: undefined, tokens: undefined })
})

test('tokens that were reserved and not used come back, once', async () => {
  await using fixture = await admissionFixture({ tokensPerMinute: 1_000_000 })
  const id = await fixture.taken({ tokens: 900_000 })

  await fixture.leave(fixture.accountId, id, 100_000)
  await fixture.leave(fixture.accountId, id, 100_000)

  const left = (await fixture.take({ tokens: 100_000 })).standing!.tokens!.remaining
  expect(left).toBeGreaterThanOrEqual(800_000)
  // A tenth of a minute of refill, on a busy machine.
  expect(left).toBeLessThan(900_000)
})

test('tokens come back to the key as well', async () => {
  await using fixture = await admissionFixture()
  const limits = { key: { tokensPerMinute: 1_000 } }
  const id = await fixture.taken({ tokens: 1_000, limits })
  expect(await fixture.take({ tokens: 1_000, limits })).toMatchObject({ kind: 'limited', bound: { scope: 'key' } })

  await fixture.leave(fixture.accountId, id, 0)

  expect(await fixture.take({ tokens: 1_000, limits })).toMatchObject({ kind: 'admitted' })
})

test('what was used beyond the estimate is taken afterwards, but never more than another minute', async () => {
  await using fixture = await admissionFixture({ tokensPerMinute: 1_000 })
  const [modest, huge] = [await fixture.taken({ tokens: 100 }), await fixture.taken({ tokens: 100 })]

  await fixture.leave(fixture.accountId, modest, 700)
  expect(await fixture.take({ tokens: 300 })).toMatchObject({ kind: 'limited', bound: { name: 'tokensPerMinute' } })
  await fixture.leave(fixture.accountId, huge, 1_000_000)

  const refused = await fixture.take({ tokens: 1 })
  expect(refused).toMatchObject({ kind: 'limited', standing: { tokens: { remaining: 0 } } })
  expect(refused.standing!.tokens!.resetMs).toBeLessThanOrEqual(120_000)
})

test('tokens come back at the rate they were taken at, whatever was decided since', async () => {
  await using fixture = await admissionFixture()
  const few = { account: { tokensPerMinute: 100 } }
  const id = await fixture.taken({ tokens: 100, limits: few })

  await fixture.leave(fixture.accountId, id, 0)

  expect(await fixture.take({ tokens: 1, limits: { account: { tokensPerMinute: 1_000 } } })).toMatchObject({
    standing: { tokens: { remaining: 999 } },
  })
})

test('a completion whose lease has ended gives nothing back: its minute has passed', async () => {
  await using fixture = await admissionFixture({ tokensPerMinute: 1_000 })
  const id = await fixture.taken({ tokens: 900 })
  await fixture.endLeases()
  await fixture.take({ tokens: 1 })

  await fixture.leave(fixture.accountId, id, 0)

  expect(await fixture.take({ tokens: 900 })).toMatchObject({ kind: 'limited' })
})

test('when one bound refuses, nothing is taken from the others', async () => {
  await using fixture = await admissionFixture({ requestsPerMinute: 10, tokensPerMinute: 100 })
  await fixture.taken({ tokens: 60 })

  const refused = await fixture.take({ tokens: 60 })

  expect(refused).toMatchObject({
    kind: 'limited',
    bound: { name: 'tokensPerMinute' },
    standing: { requests: { remaining: 9 }, tokens: { remaining: 40 } },
  })
  expect(await fixture.redis.zcard(fixture.places)).toBe(1)
  expect((await fixture.take({ tokens: 40 })).standing?.requests?.remaining).toBe(8)
})

test('of two bounds that refuse, the one that does so for longer is told', async () => {
  await using fixture = await admissionFixture({ maxLivePerAccount: 1, requestsPerMinute: 1 })
  await fixture.take()

  expect(await fixture.take()).toMatchObject({ kind: 'limited', bound: { name: 'requestsPerMinute' } })
})

test('a request that is larger than a whole minute is told so, and takes nothing', async () => {
  await using fixture = await admissionFixture({ tokensPerMinute: 1_000 })

  expect(await fixture.take({ tokens: 1_001 })).toEqual({
    kind: 'too_large',
    bound: { scope: 'account', name: 'tokensPerMinute', limit: 1_000 },
  })
  expect(await fixture.take({ tokens: 1_000 })).toMatchObject({ kind: 'admitted' })
})

test('the largest rates are counted to within a few tokens', async () => {
  await using fixture = await admissionFixture({ tokensPerMinute: 1_000_000_000 })
  await fixture.taken({ id: newCompletionId(), tokens: 999_000_000 })

  const { standing } = await fixture.take({ tokens: 1 })

  // What is refilled while the commands are under way is far more than any error of rounding.
  expect(standing!.tokens!.remaining).toBeGreaterThanOrEqual(999_000)
})
