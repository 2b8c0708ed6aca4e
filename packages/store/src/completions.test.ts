import { newCompletionId } from '@weir/contracts'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createCompletionStore } from './completions.ts'
import { type StoreFixture, openStoreFixture } from './testing/store-fixture.ts'

const MINUTE = 60_000

let store: StoreFixture
beforeEach(async () => void (store = await openStoreFixture()))
afterEach(() => store[Symbol.asyncDispose]())

test('only completions that are old enough are followed, the oldest first', async () => {
  const [young, old, older] = await store.accept(MINUTE, 10 * MINUTE, 60 * MINUTE)

  await store.completions.followOpen(5 * MINUTE)
  expect(await store.openIds()).toEqual([older, old])

  await store.completions.followOpen(0)
  expect(await store.openIds()).toEqual([older, old, young])
})

test('an open completion is told with all that ending it takes', async () => {
  const [id] = await store.accept(10 * MINUTE)
  await store.completions.followOpen(MINUTE)

  const [open] = await store.completions.openOnes({ limit: 1 })

  expect(open).toEqual({ ofBatch: false, id, accountId: expect.stringMatching(/^acct_/), deadlineAt: expect.any(Date) })
})

test('open completions are read page by page', async () => {
  const [a, b, c] = await store.accept(30 * MINUTE, 20 * MINUTE, 10 * MINUTE)
  await store.completions.followOpen(MINUTE)

  const first = await store.completions.openOnes({ limit: 2 })
  const second = await store.completions.openOnes({ limit: 2, after: first[1]!.id })

  expect([first, second].map((page) => page.map(({ id }) => id))).toEqual([[a, b], [c]])
})

test('a completion that had ended before the first look is never followed', async () => {
  const [ended, open] = await store.accept(20 * MINUTE, 10 * MINUTE)
  await store.end(ended!)

  await store.completions.followOpen(MINUTE)

  expect(await store.openIds()).toEqual([open])
})

test('a followed completion disappears as soon as it ends, and the next look forgets it', async () => {
  const [ending, open] = await store.accept(20 * MINUTE, 10 * MINUTE)
  await store.completions.followOpen(MINUTE)

  await store.end(ending!)
  expect(await store.openIds()).toEqual([open])

  await store.completions.followOpen(MINUTE)
  const { rows } = await sql`select id from store.watched_completion`.execute(store.db)
  expect(rows).toHaveLength(1)
})

test('a completion that was committed late is found although the look has passed its time', async () => {
  await store.accept(10 * MINUTE)
  await store.completions.followOpen(MINUTE)

  const [late] = await store.accept(4 * MINUTE)
  await store.completions.followOpen(MINUTE)

  expect(await store.openIds()).toContain(late)
})

test('a look at younger completions does not make the next one miss anything', async () => {
  await store.completions.followOpen(0)
  const [id] = await store.accept(2 * MINUTE)

  await store.completions.followOpen(MINUTE)
  await store.completions.followOpen(MINUTE)

  expect(await store.openIds()).toEqual([id])
})

test('many processes look at once, and every open completion is followed once', async () => {
  const ids = await store.accept(...Array.from({ length: 50 }, (_, i) => (60 - i) * MINUTE))
  const processes = Array.from({ length: 6 }, () => createCompletionStore(store.db))

  await Promise.all(processes.map((each) => each.followOpen(MINUTE)))

  expect(await store.openIds()).toEqual(ids)
})

test('while one process looks, another one need not wait for it', async () => {
  const [id] = await store.accept(10 * MINUTE)
  const looking = await store.db.startTransaction().execute()
  await sql`select pg_advisory_xact_lock(7730001)`.execute(looking)

  await store.completions.followOpen(MINUTE)
  expect(await store.openIds()).toEqual([])

  await looking.rollback().execute()
  await store.completions.followOpen(MINUTE)
  expect(await store.openIds()).toEqual([id])
})

test('a completion ends once: what comes later changes nothing', async () => {
  const [id] = await store.accept(MINUTE)
  await store.end(id!)
  const row = () => sql`select * from store.completion`.execute(store.db).then(({ rows }) => rows[0])
  const first = await row()

  await store.end(id!, newCompletionId())

  expect(first).toMatchObject({ state: 'completed', served_by: 'simulated/fast', output_tokens: 3n, charged: 10n })
  expect(await row()).toEqual(first)
})
