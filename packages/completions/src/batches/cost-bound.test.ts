import { expect, test } from 'vitest'
import { batchesFixture, linesFrom } from '../testing/batches.ts'

test('feeders that are at work at once do not together reserve more than a batch may cost', async () => {
  await using fixture = await batchesFixture()
  const { admissions, items, lanes } = fixture
  const batch = await fixture.made(linesFrom(300), { maxCost: 1_000n })
  const claimed = Promise.withResolvers<void>()
  const admitting = Promise.withResolvers<void>()
  const looked = Promise.withResolvers<void>()
  const ofManySlots = {
    lane: { ...lanes.batch, pace: async () => ({ ...(await lanes.batch.pace()), slots: 500 }) },
    feeding: { maxWindow: 1_000, lineTimeoutMs: 60_000 },
  }
  fixture.feed({
    ...ofManySlots,
    admissions: {
      ...admissions,
      async submit(admission) {
        claimed.resolve()
        await admitting.promise
        return admissions.submit(admission)
      },
    },
  })
  await claimed.promise

  const second = fixture.feed({
    ...ofManySlots,
    items: {
      ...items,
      claim: (...how) => items.claim(...how).finally(looked.resolve),
    },
  })
  await looked.promise
  // With all that it has claimed fed.
  await second[Symbol.asyncDispose]()
  admitting.resolve()

  const fed = await fixture.until(batch, ({ reserved, lines }) => reserved > 0n && lines.pending > 250)
  expect(fed.reserved).toBeLessThanOrEqual(1_000n)
})
