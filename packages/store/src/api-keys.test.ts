import { newAccountId, newKeyId } from '@weir/contracts'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createApiKeyStore } from './api-keys.ts'
import { newKeySecret } from './key-secret.ts'
import { type StoreFixture, openStoreFixture } from './testing/store-fixture.ts'

let store: StoreFixture
beforeAll(async () => void (store = await openStoreFixture()))
afterAll(() => store[Symbol.asyncDispose]())

async function accountWithKey(name = 'laptop') {
  const { id: accountId } = await store.accounts.create('Ada')
  const { key, secret } = await store.apiKeys.create(accountId, name)
  return { accountId, key, secret }
}

test('a new key tells who is asking', async () => {
  const { accountId, key, secret } = await accountWithKey()

  expect(key).toMatchObject({ name: 'laptop', hint: `weir_sk_…${secret.slice(-4)}`, revokedAt: null })
  expect(await store.apiKeys.identify(secret)).toEqual({ accountId, keyId: key.id })
})

test('the secret of a key is stored nowhere, not even in part', async () => {
  const { secret } = await accountWithKey()

  const { rows } = await sql<{ row: string }>`select row_to_json(k)::text as row from store.api_key k`.execute(store.db)
  const stored = rows.map(({ row }) => row).join()
  const random = secret.slice('weir_sk_'.length)
  const inHex = Buffer.from(random.slice(0, 8)).toString('hex')
  expect(stored).not.toContain(random.slice(0, 8))
  expect(stored).not.toContain(inHex)
})

test('a secret that was never given out is nobody', async () => {
  expect(await store.apiKeys.identify(newKeySecret())).toBeUndefined()
})

test('with another pepper no key is known', async () => {
  const { secret } = await accountWithKey()
  expect(await createApiKeyStore(store.db, 'another pepper').identify(secret)).toBeUndefined()
})

test('a revoked key is nobody any more, and the other keys of its account go on', async () => {
  const { accountId, key, secret } = await accountWithKey()
  const other = await store.apiKeys.create(accountId, 'server')

  const revoked = await store.apiKeys.revoke(accountId, key.id)

  expect(revoked).toEqual({ ...key, revokedAt: expect.any(Date) })
  expect(await store.apiKeys.identify(secret)).toBeUndefined()
  expect(await store.apiKeys.identify(other.secret)).toEqual({ accountId, keyId: other.key.id })
})

test('a key that is revoked again stays revoked since the first time', async () => {
  const { accountId, key } = await accountWithKey()

  const [first, second] = [await store.apiKeys.revoke(accountId, key.id), await store.apiKeys.revoke(accountId, key.id)]

  expect(second).toEqual(first)
})

test('nobody revokes the key of another account, or one that does not exist', async () => {
  const [mine, theirs] = [await accountWithKey(), await accountWithKey()]

  expect(await store.apiKeys.revoke(mine.accountId, theirs.key.id)).toBeUndefined()
  expect(await store.apiKeys.revoke(mine.accountId, newKeyId())).toBeUndefined()

  expect(await store.apiKeys.identify(theirs.secret)).toMatchObject({ keyId: theirs.key.id })
})

test('the keys of an account are listed newest first, page by page, revoked ones included', async () => {
  const { accountId, key: first } = await accountWithKey()
  const { key: second } = await store.apiKeys.create(accountId, 'server')
  const { key: third } = await store.apiKeys.create(accountId, 'phone')
  const revoked = await store.apiKeys.revoke(accountId, second.id)
  await accountWithKey()

  const page = await store.apiKeys.list(accountId, { limit: 2 })

  expect(page).toEqual([third, revoked])
  expect(await store.apiKeys.list(accountId, { limit: 2, after: second.id })).toEqual([first])
})

test('a key belongs to an account that exists', async () => {
  await expect(store.apiKeys.create(newAccountId(), 'laptop')).rejects.toThrow('foreign key')
})

test('a key is found by its account alone, revoked or not', async () => {
  const { accountId, key } = await accountWithKey()
  const revoked = await store.apiKeys.revoke(accountId, key.id)

  expect(await store.apiKeys.find(accountId, key.id)).toEqual(revoked)
  expect(await store.apiKeys.find(newAccountId(), key.id)).toBeUndefined()
})
