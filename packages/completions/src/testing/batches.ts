import { type AccountId, type BatchId, newKeyId } from '@weir/contracts'
import { startConsumer } from '@weir/queue'
import {
  type Batch,
  type EndedItem,
  type NewBatch,
  createBatchItems,
  createBatchStore,
  createBatchWork,
  createFileStore,
} from '@weir/store'
import { vi } from 'vitest'
import { everyEnd } from '../batches/finalize-batch.ts'
import { type RunBatchesDeps, runBatches } from '../batches/run-batches.ts'
import type { RunDeps } from '../run-completion.ts'
import { type Play, answering } from './backend.ts'
import { model, serviceFixture } from './service.ts'

const DAY_MS = 86_400_000
const FILE_LIMITS = { fileBytes: 10_000_000, bytesPerAccount: 100_000_000, filesPerAccount: 1_000, retentionMs: DAY_MS }

/** A line of an input file that asks for a completion. */
export const lineOf = (customId: string, body: object = {}): string =>
  JSON.stringify({
    custom_id: customId,
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model: model.id, messages: [{ role: 'user', content: `Question ${customId}` }], max_tokens: 10, ...body },
  })

export const linesFrom = (count: number, body?: object): string[] =>
  Array.from({ length: count }, (_, i) => lineOf(`line-${i + 1}`, body))

/** The service with batches: nothing runs until a test says so. */
export async function batchesFixture() {
  await using resources = new AsyncDisposableStack()
  const service = resources.use(await serviceFixture())
  const { db, redis, prefix, accountId } = service
  const files = createFileStore(db, FILE_LIMITS)
  const batches = createBatchStore(db)
  const items = createBatchItems(db)
  const work = createBatchWork(db)
  const onError = () => {}

  const opened = resources.move()
  const fixture = {
    ...service,
    files,
    batches,
    items,
    work,

    /** A batch of these lines. */
    async made(lines: readonly string[], given: Partial<NewBatch> = {}): Promise<Batch> {
      const owner = given.accountId ?? accountId
      async function* source() {
        yield Buffer.from(lines.map((line) => `${line}\n`).join(''))
      }
      const file = await files.write({ accountId: owner, purpose: 'batch', filename: 'in.jsonl' }, source())
      const created = await batches.create(
        {
          accountId: owner,
          keyId: newKeyId(),
          dialect: 'openai',
          endpoint: '/v1/chat/completions',
          inputFileId: file.id,
          metadata: undefined,
          webhookUrl: undefined,
          dryRun: false,
          maxCost: undefined,
          maxTries: 3,
          resultsKeptMs: DAY_MS,
          windowMs: DAY_MS,
          ...given,
        },
        { mostOpen: 100, idempotencyMs: DAY_MS },
      )
      if (created.kind !== 'created') throw new Error(`it is ${created.kind}`)
      return created.batch
    },

    /** Validates, feeds and finalizes from now on. */
    feed(overrides: Partial<RunBatchesDeps> = {}): AsyncDisposable {
      return opened.use(
        runBatches({
          ...service,
          catalogue: {
            find: (name) => (name === model.id ? model : undefined),
            ruleOf: () => undefined,
            auto: { id: 'auto', aliases: [], pick: 'first', candidates: [], cases: [] },
          },
          lane: service.lanes.batch,
          files,
          items,
          work,
          feeding: { maxWindow: 100, lineTimeoutMs: 60_000 },
          batchLimits: { maxLines: 1_000, maxLineBytes: 1_000_000 },
          onError,
          ...overrides,
        }),
      )
    },

    /** Workers take lines from now on. */
    async run(play: Play = answering, overrides: Partial<RunDeps> = {}) {
      const consumer = startConsumer({
        lane: 'batch',
        redis: await service.connect('blocking'),
        prefix,
        concurrency: 20,
        lockMs: 15_000,
        stalledIntervalMs: 5_000,
        process: service.runnerOf(play, overrides),
        onError,
      })
      opened.defer(() => consumer.stop(0))
      return consumer
    },

    async standingOf({ id, accountId: owner }: Pick<Batch, 'id' | 'accountId'>): Promise<Batch> {
      const batch = await batches.find(owner, id)
      if (!batch) throw new Error(`there is no batch ${id}`)
      return batch
    },

    /** Waits until it stands so. */
    until: (batch: Batch, isSo: (batch: Batch) => boolean): Promise<Batch> =>
      vi.waitUntil(
        async () => {
          const standing = await fixture.standingOf(batch)
          return isSo(standing) && standing
        },
        { timeout: 60_000, interval: 50 },
      ),

    itemsOf: (id: BatchId, states: readonly EndedItem['state'][] = everyEnd) =>
      items.ended(id, { after: 0, limit: 10_000, states }),

    /** The lines of a file, parsed. */
    async linesIn(fileId: Batch['outputFileId']): Promise<Record<string, unknown>[]> {
      const pieces: Buffer[] = []
      for await (const piece of files.read(fileId!)) pieces.push(piece)
      return Buffer.concat(pieces)
        .toString()
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>)
    },

    grant: (owner: AccountId, amount: bigint) =>
      service.ledger.amend([{ op: 'grant', accountId: owner, kind: 'purchased', amount, actor: 'test' }]),
    redis,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
  return fixture
}

export type BatchesFixture = Awaited<ReturnType<typeof batchesFixture>>
