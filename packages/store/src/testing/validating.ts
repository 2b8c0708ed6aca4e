import { newAccountId, newFileId, newKeyId } from '@weir/contracts'
import { createBatchItems } from '../batch-items.ts'
import { createBatchLines } from '../batch-lines.ts'
import { createBatchWork } from '../batch-work.ts'
import { type NewBatch, createBatchStore } from '../batches.ts'
import type { StoreFixture } from './store-fixture.ts'

/** A batch whose lines are being checked, with so many of them noted. */
export async function validating(fixture: StoreFixture, lines: number, idempotency?: { key: string; digest: Buffer }) {
  const batches = createBatchStore(fixture.db)
  const items = createBatchItems(fixture.db)
  const accountId = newAccountId()
  const wish = {
    accountId,
    keyId: newKeyId(),
    dialect: 'openai',
    endpoint: '/v1/chat/completions',
    inputFileId: newFileId(),
    metadata: undefined,
    webhookUrl: undefined,
    dryRun: false,
    maxCost: undefined,
    maxTries: 3,
    resultsKeptMs: 60_000,
    windowMs: 60_000,
    idempotency,
  } as const
  const create = (more: Partial<NewBatch> = {}, terms: { mostOpen?: number; idempotencyMs?: number } = {}) =>
    batches.create({ ...wish, ...more }, { mostOpen: 10, idempotencyMs: 60_000, ...terms })
  const created = await create()
  if (created.kind !== 'created') throw new Error(`it is ${created.kind}`)
  const { batch } = created
  await items.add(
    batch.id,
    Array.from({ length: lines }, (_, n) => ({ line: n + 1, customId: `line-${n + 1}`, startByte: n * 10, bytes: 9 })),
  )
  return {
    create,
    batches,
    items,
    batch,
    accountId,
    work: createBatchWork(fixture.db),
    lines: createBatchLines(fixture.db),
  }
}
