import { newAccountId, newCompletionId, newKeyId, uuidOf } from '@weir/contracts'
import { openTestDatabase } from '@weir/local/testing'
import { openDatabase } from '@weir/runtime'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCompletionRecords } from './completion-record.ts'

let fixture: Awaited<ReturnType<typeof openFixture>>
beforeAll(async () => void (fixture = await openFixture()))
afterAll(() => fixture?.[Symbol.asyncDispose]())

async function openFixture() {
  await using resources = new AsyncDisposableStack()
  const { url } = resources.use(await openTestDatabase())
  const db = resources.use(openDatabase(url, { max: 2, timeoutMs: 60_000, onError: () => {} }))
  const opened = resources.move()
  return {
    find: createCompletionRecords(db).find,
    async accepted() {
      const completion = { id: newCompletionId(), accountId: newAccountId(), keyId: newKeyId() }
      const [id, account, key] = [completion.id, completion.accountId, completion.keyId].map(uuidOf)
      await sql`
        select store.insert_completions(
          '{true}', array[${id}]::uuid[], array[${account}]::uuid[], array[${key}]::uuid[], '{fast}', '{true}',
          array[clock_timestamp()], '{false}', '{null}', '{50}', '{true}', '{null}')`.execute(db)
      return completion
    },
    async end(id: Parameters<typeof uuidOf>[0]) {
      await sql`
        select store.end_completions(
          array[${uuidOf(id)}]::uuid[], '{cancelled}', '{gpu/small}', '{cancelled}', '{9007199254740991}', '{2}', '{4}',
          '{3}', '{5}', '{6}', '{estimated}', '{40}', '{2}', '{100}', array[clock_timestamp()], '{null}')`.execute(db)
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

test('a completion that runs is known by what was asked, and has no end', async () => {
  const { id, accountId, keyId } = await fixture.accepted()

  const record = await fixture.find(accountId, id)

  expect(record).toEqual({
    id,
    keyId,
    model: 'fast',
    stream: true,
    background: false,
    metadata: {},
    createdAt: expect.any(Date),
    deadlineAt: expect.any(Date),
    ofBatch: true,
    batchDiscount: 50,
    isDeleted: false,
    end: undefined,
  })
})

test('a completion that has ended says how', async () => {
  const { id, accountId } = await fixture.accepted()

  await fixture.end(id)

  expect((await fixture.find(accountId, id))?.end).toEqual({
    state: 'cancelled',
    endedAt: expect.any(Date),
    usage: {
      inputTokens: Number.MAX_SAFE_INTEGER,
      cachedInputTokens: 2,
      cacheWriteTokens: 4,
      outputTokens: 3,
      reasoningTokens: 5,
      images: 6,
      source: 'estimated',
    },
    servedBy: 'gpu/small',
    errorCode: 'cancelled',
    attempts: 2,
    attemptLog: [],
    charged: 40n,
    clampedTo: 100,
  })
})

test('nobody finds a completion of another account, or one that never was', async () => {
  const { id, accountId } = await fixture.accepted()

  expect(await fixture.find(newAccountId(), id)).toBeUndefined()
  expect(await fixture.find(accountId, newCompletionId())).toBeUndefined()
})
