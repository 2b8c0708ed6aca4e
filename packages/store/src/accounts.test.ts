import { newAccountId } from '@weir/contracts'
import { expect, test } from 'vitest'
import { openStoreFixture } from './testing/store-fixture.ts'

test('accounts are found by their id and listed newest first, page by page', async () => {
  await using store = await openStoreFixture()
  const made = []
  for (const name of ['Ada', 'Bob', 'Cleo', 'Dora', 'Emil']) made.push(await store.accounts.create(name))
  const [ada, bob, cleo, dora, emil] = made

  const first = await store.accounts.list({ limit: 2 })
  const second = await store.accounts.list({ limit: 2, after: first[1]!.id })
  const last = await store.accounts.list({ limit: 2, after: second[1]!.id })

  expect([first, second, last]).toEqual([[emil, dora], [cleo, bob], [ada]])
  expect(await store.accounts.list({ limit: 2, after: ada!.id })).toEqual([])
  expect(await store.accounts.find(bob!.id)).toEqual(bob)
  expect(await store.accounts.find(newAccountId())).toBeUndefined()
})

test('an account has a name of at most 200 characters', async () => {
  await using store = await openStoreFixture()

  for (const name of ['', 'x'.repeat(201)])
    await expect(store.accounts.create(name)).rejects.toMatchObject({ constraint: 'account_named' })
  expect((await store.accounts.create('ß'.repeat(200))).name).toHaveLength(200)
})
