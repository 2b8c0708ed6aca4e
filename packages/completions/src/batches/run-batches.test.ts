import { newAccountId } from '@weir/contracts'
import { expect, test } from 'vitest'
import { createCheckBooks } from '../check-books.ts'
import { USAGE_COST, answering, holding, text } from '../testing/backend.ts'
import { batchesFixture, lineOf, linesFrom } from '../testing/batches.ts'

const hasEnded = ({ endedAt }: { endedAt: Date | undefined }) => endedAt !== undefined

test('every line of a batch is answered once, charged once, and told in its output', async () => {
  await using fixture = await batchesFixture()
  const batch = await fixture.made(linesFrom(50))
  fixture.feed()
  await fixture.run()

  const ended = await fixture.until(batch, hasEnded)

  expect(ended).toMatchObject({ state: 'completed', lines: { total: 50, completed: 50 }, charged: 50n * USAGE_COST })
  expect(ended.errorFileId).toBeUndefined()
  const lines = await fixture.linesIn(ended.outputFileId)
  expect(lines.map(({ custom_id }) => custom_id).sort()).toEqual(
    linesFrom(50)
      .map((line) => JSON.parse(line).custom_id)
      .sort(),
  )
  expect(lines[0]).toMatchObject({
    response: { status_code: 200, body: { choices: [{ message: { content: 'Water is lazy.' } }] } },
    error: null,
    attempts: 1,
  })
  expect(await fixture.books()).toEqual({ charged: 50n * USAGE_COST, reserved: 0n })
  expect((await createCheckBooks(fixture.db)()).findings).toEqual([])
})

test('a batch with bad lines fails, names each of them, and runs nothing', async () => {
  await using fixture = await batchesFixture()
  const batch = await fixture.made([
    lineOf('a'),
    '{"custom_id": "b"',
    lineOf('a'),
    lineOf('c', { model: 'unheard-of' }),
    lineOf('d', { stream: true }),
    lineOf('e', { messages: [] }),
    lineOf('f').replace('completions', 'embeddings'),
    lineOf('g').replace('POST', 'GET'),
  ])
  fixture.feed()

  const ended = await fixture.until(batch, hasEnded)

  expect(ended.state).toBe('failed')
  expect(ended.errors?.map(({ line, code, param }) => [line, code, param])).toEqual([
    [2, 'invalid_json_line', undefined],
    [3, 'duplicate_custom_id', 'custom_id'],
    [4, 'model_not_found', 'body.model'],
    [5, 'invalid_request', 'body.stream'],
    [6, 'invalid_request', 'body.messages'],
    [7, 'mismatched_url', 'url'],
    [8, 'invalid_request', 'method'],
  ])
  expect(await fixture.books()).toEqual({ charged: 0n, reserved: 0n })
})

test('an estimate says what a batch can cost, and runs nothing', async () => {
  await using fixture = await batchesFixture()
  const batch = await fixture.made(linesFrom(3), { dryRun: true })
  fixture.feed()

  const ended = await fixture.until(batch, hasEnded)

  expect(ended).toMatchObject({ state: 'completed', lines: { total: 3, completed: 0 } })
  expect(ended.quote).toBeGreaterThan(60n)
  expect(await fixture.books()).toEqual({ charged: 0n, reserved: 0n })
})

test('a cancelled batch keeps what is finished, and its other lines cost nothing', async () => {
  await using fixture = await batchesFixture()
  const batch = await fixture.made([lineOf('quick'), ...linesFrom(30)])
  const { play } = holding()
  await fixture.run((request, ...rest) =>
    JSON.stringify(request.messages).includes('quick') ? answering(request, ...rest) : play(request, ...rest),
  )
  fixture.feed({ feeding: { maxWindow: 5, lineTimeoutMs: 60_000 } })
  await fixture.until(batch, ({ lines }) => lines.completed === 1 && lines.running === 5)

  expect(await fixture.batches.cancel(fixture.accountId, batch.id)).toBe(true)

  const ended = await fixture.until(batch, hasEnded)
  expect(ended).toMatchObject({
    state: 'cancelled',
    lines: { total: 31, completed: 1, cancelled: 30 },
    charged: USAGE_COST,
  })
  expect(await fixture.linesIn(ended.outputFileId)).toMatchObject([{ custom_id: 'quick' }])
  expect(await fixture.linesIn(ended.errorFileId)).toHaveLength(30)
  expect(await fixture.books()).toEqual({ charged: USAGE_COST, reserved: 0n })
})

test('a batch whose window ends keeps what is finished, and tells of the rest', async () => {
  await using fixture = await batchesFixture()
  const batch = await fixture.made(linesFrom(10), { windowMs: 2_000 })
  fixture.feed({ feeding: { maxWindow: 4, lineTimeoutMs: 60_000 } })

  const ended = await fixture
    .until(batch, ({ state, lines }) => state === 'in_progress' && lines.running === 4)
    .then(() => fixture.run(holding().play).then(() => fixture.until(batch, hasEnded)))

  expect(ended).toMatchObject({ state: 'expired', lines: { total: 10, expired: 10 } })
  expect(await fixture.linesIn(ended.errorFileId)).toMatchObject(
    Array.from({ length: 10 }, () => ({ response: null, error: { code: 'batch_expired' } })),
  )
  expect(await fixture.books()).toEqual({ charged: 0n, reserved: 0n })
})

test('a batch pauses when the credits run out, and goes on by itself after a top-up', async () => {
  await using fixture = await batchesFixture()
  const poor = newAccountId()
  await fixture.grant(poor, 60n)
  const batch = await fixture.made(linesFrom(20), { accountId: poor })
  fixture.feed()
  await fixture.run()

  const paused = await fixture.until(batch, (standing) => standing.paused !== undefined)
  expect(paused).toMatchObject({ state: 'in_progress', paused: { for: 'insufficient_credits' } })
  await fixture.grant(poor, 100_000n)

  const ended = await fixture.until(batch, hasEnded)
  expect(ended).toMatchObject({ state: 'completed', lines: { completed: 20 }, paused: undefined })
})

test('a batch is never charged more than its owner bounded it to', async () => {
  await using fixture = await batchesFixture()
  const batch = await fixture.made(linesFrom(20), { maxCost: 200n })
  fixture.feed()
  await fixture.run()

  const ended = await fixture.until(batch, hasEnded)

  expect(ended.state).toBe('completed')
  expect(ended.charged).toBeLessThanOrEqual(200n)
  expect(ended.lines.completed).toBeGreaterThan(0)
  expect(await fixture.linesIn(ended.errorFileId)).toMatchObject(
    Array.from({ length: ended.lines.failed }, () => ({ error: { code: 'max_credits_reached' } })),
  )
})

test('a line whose backend fails is tried again, and its output tells how often', async () => {
  await using fixture = await batchesFixture()
  let calls = 0
  const batch = await fixture.made([lineOf('a')])
  fixture.feed()
  await fixture.run(
    (...call) => {
      calls++
      if (calls === 1) return failing()
      return answering(...call)
    },
    { maxAttempts: 1 },
  )

  const ended = await fixture.until(batch, hasEnded)

  expect(ended).toMatchObject({ state: 'completed', lines: { completed: 1 } })
  expect(await fixture.linesIn(ended.outputFileId)).toMatchObject([{ custom_id: 'a', attempts: 2 }])
})

async function* failing() {
  yield* [] as never[]
  const { ServiceError } = await import('@weir/contracts')
  throw new ServiceError('backend_error', 'The backend has failed.')
}

test('what Redis loses in the middle of a batch is handed over again', async () => {
  await using fixture = await batchesFixture()
  const held = holding(text('Water'))
  const batch = await fixture.made(linesFrom(5))
  fixture.feed()
  await fixture.until(batch, ({ lines }) => lines.running === 5)
  void held
  await fixture.redis.flushall()
  const { createReconciler } = await import('../reconcile.ts')
  const reconcile = createReconciler({
    ...fixture,
    keepAlive: async () => {},
    aliveEveryMs: 60_000,
    afterMs: -60_000,
    lostAfterMs: 0,
  })
  await reconcile(new AbortController().signal)
  await fixture.run()

  const ended = await fixture.until(batch, hasEnded)

  expect(ended).toMatchObject({ state: 'completed', lines: { completed: 5 }, charged: 5n * USAGE_COST })
})
