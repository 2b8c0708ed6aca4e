import { newCompletionId, newKeyId } from '@weir/contracts'
import { createLedger, createPrices } from '@weir/ledger'
import { expect, test } from 'vitest'
import { admit } from './admit.ts'
import { submit } from './hand-over.ts'
import { createCheckBooks } from './check-books.ts'
import { receiptOf } from './receipt.ts'
import { USAGE_COST, answering } from './testing/backend.ts'
import { type ServiceFixture, model, requestOf, serviceFixture } from './testing/service.ts'

/** Lets completions in at a price of which a line of a batch pays a quarter less. */
async function admitted(service: ServiceFixture, ofBatch: boolean) {
  const version = await createPrices(service.db).set(model.id, { ...model.price, batchDiscount: 25 })
  const identity = { accountId: service.accountId, keyId: newKeyId() }
  const wish = { timeoutMs: 60_000, ownDeadline: false, background: false, attended: true, includeUsage: false }
  const nothing = { keepMs: undefined, metadata: undefined, idempotency: undefined }
  const ask = {
    model,
    request: requestOf(),
    ...wish,
    ...nothing,
    ...(ofBatch && { ofBatch: { id: newCompletionId(), costLeft: undefined } }),
  }
  const answer = await admit({ ...service, prices: { priceOf: () => version } }, identity, ask)
  if (answer.kind !== 'admitted') throw new Error('it was not let in')
  return answer.job
}

test('a line of a batch is quoted and charged at the discount of its price, and the books say the same', async () => {
  await using service = await serviceFixture()
  const [line, single] = [await admitted(service, true), await admitted(service, false)]

  await submit(service, line, { replyTo: undefined })
  await service.run(line, answering)

  expect(line.quote).toBe((single.quote * 3n + 3n) / 4n)
  expect((await service.books()).charged * 4n).toBe(USAGE_COST * 3n)
  const ledger = createLedger(service.db)
  const answer = await receiptOf(
    { ...service, ledger, priceVersions: createPrices(service.db) },
    line.accountId,
    line.id,
  )
  expect(answer).toMatchObject({ receipt: { cost: 15n, calculation: { batchDiscount: 25, rule: 'usage' } } })
  expect((await createCheckBooks(service.db)()).findings).toEqual([])
})
