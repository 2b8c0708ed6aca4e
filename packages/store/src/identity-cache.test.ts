import { newAccountId, newKeyId } from '@weir/contracts'
import { expect, test, vi } from 'vitest'
import type { Identity } from './api-keys.ts'
import { createIdentityCache } from './identity-cache.ts'
import { newKeySecret } from './key-secret.ts'

const TTL_MS = 5_000

/** A cache on a clock that the test moves, over keys that the test gives out and takes back. */
function cacheFixture() {
  const keys = new Map<string, Identity>()
  let time = 1_000_000
  const identify = vi.fn(async (secret: string) => keys.get(secret))
  const cache = createIdentityCache({ identify, ttlMs: TTL_MS, now: () => time })
  return {
    ...cache,
    /** How often the store was asked, by anybody. */
    lookups: identify,
    newKey() {
      const [secret, identity] = [newKeySecret(), { accountId: newAccountId(), keyId: newKeyId() }]
      keys.set(secret, identity)
      return { secret, identity }
    },
    revoke: (secret: string) => void keys.delete(secret),
    pass: (ms: number) => void (time += ms),
  }
}

test('a key is looked up once and known from then on', async () => {
  const cache = cacheFixture()
  const { secret, identity } = cache.newKey()

  const answers = [await cache.identify(secret), await cache.identify(secret), await cache.identify(secret)]

  expect(answers).toEqual([identity, identity, identity])
  expect(cache.lookups).toHaveBeenCalledTimes(1)
})

test('a revoked key is refused after the time to live, even if nobody says that it was revoked', async () => {
  const cache = cacheFixture()
  const { secret, identity } = cache.newKey()
  await cache.identify(secret)
  cache.revoke(secret)

  cache.pass(TTL_MS - 1)
  expect(await cache.identify(secret)).toEqual(identity)
  cache.pass(2)

  expect(await cache.identify(secret)).toBeUndefined()
})

test('being used all the time does not keep a revoked key alive', async () => {
  const cache = cacheFixture()
  const { secret } = cache.newKey()
  await cache.identify(secret)
  cache.revoke(secret)

  for (let passed = 0; passed <= TTL_MS; passed += 100) {
    await cache.identify(secret)
    cache.pass(100)
  }

  expect(await cache.identify(secret)).toBeUndefined()
})

test('a slow look-up does not lengthen the time to live: it counts from the question', async () => {
  const cache = cacheFixture()
  const { secret, identity } = cache.newKey()
  cache.lookups.mockImplementationOnce(async () => {
    cache.pass(2_000)
    return identity
  })
  await cache.identify(secret)
  cache.revoke(secret)

  cache.pass(TTL_MS - 2_000 + 1)

  expect(await cache.identify(secret)).toBeUndefined()
})

test('a revocation takes effect at once, and for that key alone', async () => {
  const cache = cacheFixture()
  const [gone, other] = [cache.newKey(), cache.newKey()]
  await cache.identify(gone.secret)
  await cache.identify(other.secret)
  cache.revoke(gone.secret)

  cache.forget(gone.identity.keyId)

  expect(await cache.identify(gone.secret)).toBeUndefined()
  expect(await cache.identify(other.secret)).toEqual(other.identity)
  expect(cache.lookups.mock.calls.filter(([secret]) => secret === other.secret)).toHaveLength(1)
})

test('a look-up that began before a revocation does not bring the key back', async () => {
  const cache = cacheFixture()
  const { secret, identity } = cache.newKey()
  const lookup = Promise.withResolvers<Identity>()
  cache.lookups.mockReturnValueOnce(lookup.promise)
  const early = cache.identify(secret)
  cache.revoke(secret)
  cache.forget(identity.keyId)

  lookup.resolve(identity)
  await early

  expect(await cache.identify(secret)).toBeUndefined()
})

test('who asks after a revocation does not get the answer of a look-up from before it', async () => {
  const cache = cacheFixture()
  const { secret, identity } = cache.newKey()
  const lookup = Promise.withResolvers<Identity>()
  cache.lookups.mockReturnValueOnce(lookup.promise)
  void cache.identify(secret)
  cache.revoke(secret)
  cache.forget(identity.keyId)

  const late = cache.identify(secret)
  lookup.resolve(identity)

  expect(await late).toBeUndefined()
})

test('many requests with one new key make one look-up', async () => {
  const cache = cacheFixture()
  const { secret, identity } = cache.newKey()

  const answers = await Promise.all(Array.from({ length: 100 }, () => cache.identify(secret)))

  expect(answers).toEqual(Array(100).fill(identity))
  expect(cache.lookups).toHaveBeenCalledTimes(1)
})

test('an unknown key is remembered as unknown for the time to live', async () => {
  const cache = cacheFixture()
  const secret = newKeySecret()

  expect([await cache.identify(secret), await cache.identify(secret)]).toEqual([undefined, undefined])
  expect(cache.lookups).toHaveBeenCalledTimes(1)

  cache.pass(TTL_MS + 1)
  await cache.identify(secret)
  expect(cache.lookups).toHaveBeenCalledTimes(2)
})

test('a failed look-up is told to all who wait, and is not remembered', async () => {
  const cache = cacheFixture()
  const { secret, identity } = cache.newKey()
  cache.lookups.mockRejectedValueOnce(new Error('the database is away'))

  const failed = await Promise.allSettled([cache.identify(secret), cache.identify(secret)])

  expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(await cache.identify(secret)).toEqual(identity)
})

test('while the database is away known keys are served, for the time to live', async () => {
  const cache = cacheFixture()
  const { secret, identity } = cache.newKey()
  await cache.identify(secret)
  cache.lookups.mockRejectedValue(new Error('the database is away'))

  expect(await cache.identify(secret)).toEqual(identity)
  cache.pass(TTL_MS + 1)
  await expect(cache.identify(secret)).rejects.toThrow('away')
})

test.each([
  '',
  'sk-1234567890',
  'weir_sk_short',
  newKeySecret().slice(0, -1),
  `${newKeySecret()}x`,
  'x'.repeat(100_000),
])('garbage never reaches the database (case %#)', async (garbage) => {
  const cache = cacheFixture()
  expect(await cache.identify(garbage)).toBeUndefined()
  expect(cache.lookups).not.toHaveBeenCalled()
})

test('however many keys are invented, only so many are remembered, and the known ones stay', async () => {
  const cache = cacheFixture()
  const { secret, identity } = cache.newKey()
  const first = newKeySecret()
  await cache.identify(secret)
  await cache.identify(first)

  for (let i = 0; i < 10_000; i++) await cache.identify(newKeySecret())
  const before = cache.lookups.mock.calls.length
  await cache.identify(first)

  expect(cache.lookups).toHaveBeenCalledTimes(before + 1)
  expect(await cache.identify(secret)).toEqual(identity)
  expect(cache.lookups).toHaveBeenCalledTimes(before + 1)
})

test('only so many known keys are held: the one not used for longest is looked up again', async () => {
  const cache = cacheFixture()
  const keys = Array.from({ length: 10_001 }, cache.newKey)
  for (const { secret } of keys) await cache.identify(secret)

  await cache.identify(keys[10_000]!.secret)
  expect(cache.lookups).toHaveBeenCalledTimes(10_001)
  await cache.identify(keys[0]!.secret)

  expect(cache.lookups).toHaveBeenCalledTimes(10_002)
})
