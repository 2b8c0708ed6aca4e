import { type RateLimits, newAccountId } from '@weir/contracts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RateLimitStore, createRateLimitStore } from './rate-limits.ts'
import { type StoreFixture, openStoreFixture } from './testing/store-fixture.ts'

let store: StoreFixture
let rateLimits: RateLimitStore
beforeAll(async () => {
  store = await openStoreFixture()
  rateLimits = createRateLimitStore(store.db)
})
afterAll(() => store[Symbol.asyncDispose]())

async function accountWithKey() {
  const { id: accountId } = await store.accounts.create('Ada')
  const { key, secret } = await store.apiKeys.create(accountId, 'laptop')
  return { accountId, keyId: key.id, secret }
}

const all: RateLimits = { concurrent: 10, queued: 5, requestsPerMinute: 60, tokensPerMinute: 100_000 }

test('an account has no limits of its own until some are decided', async () => {
  const { accountId, keyId, secret } = await accountWithKey()

  expect(await rateLimits.find(accountId)).toEqual({})
  expect(await rateLimits.find(accountId, keyId)).toEqual({})
  expect(await store.apiKeys.identify(secret)).toEqual({ accountId, keyId })
})

test('the limits of an account and those of its key stand apart', async () => {
  const { accountId, keyId, secret } = await accountWithKey()
  const other = await store.apiKeys.create(accountId, 'server')

  await rateLimits.change(accountId, undefined, all)
  await rateLimits.change(accountId, keyId, { concurrent: 1 })

  expect(await rateLimits.find(accountId)).toEqual(all)
  expect(await rateLimits.find(accountId, keyId)).toEqual({ concurrent: 1 })
  expect((await store.apiKeys.identify(secret))?.limits).toEqual({ account: all, key: { concurrent: 1 } })
  expect((await store.apiKeys.identify(other.secret))?.limits).toEqual({ account: all, key: {} })
})

test('a change leaves what it does not name, and takes away what it sets to null', async () => {
  const { accountId } = await accountWithKey()
  await rateLimits.change(accountId, undefined, { concurrent: 10, queued: 5 })

  const limits = await rateLimits.change(accountId, undefined, { queued: null, requestsPerMinute: 60 })

  expect(limits).toEqual({ concurrent: 10, requestsPerMinute: 60 })
  expect(await rateLimits.find(accountId)).toEqual(limits)
})

test('when the last limit is taken away nothing is left', async () => {
  const { accountId, secret } = await accountWithKey()
  await rateLimits.change(accountId, undefined, { concurrent: 10 })

  expect(await rateLimits.change(accountId, undefined, { concurrent: null })).toEqual({})

  expect((await store.apiKeys.identify(secret))?.limits).toBeUndefined()
})

test('two changes at once are both made', async () => {
  const { accountId } = await accountWithKey()

  await Promise.all([
    rateLimits.change(accountId, undefined, { concurrent: 10 }),
    rateLimits.change(accountId, undefined, { queued: 5 }),
    rateLimits.change(accountId, undefined, { tokensPerMinute: 1_000 }),
  ])

  expect(await rateLimits.find(accountId)).toEqual({ concurrent: 10, queued: 5, tokensPerMinute: 1_000 })
})

test('limits belong to an account that exists, and are at least one', async () => {
  const { accountId } = await accountWithKey()

  await expect(rateLimits.change(newAccountId(), undefined, { concurrent: 1 })).rejects.toThrow('foreign key')
  await expect(rateLimits.change(accountId, undefined, { concurrent: 0 })).rejects.toThrow('rate_limit_positive')
})
