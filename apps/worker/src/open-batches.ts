import { type RunBatchesDeps, createAdmissions, createBatchMetrics, runBatches } from '@weir/completions'
import { createPrices, openPriceBook } from '@weir/ledger'
import { openLane } from '@weir/queue'
import { type Database, type Metrics, type Redis, openDatabase } from '@weir/runtime'
import { createBatchItems, createBatchWork, createFileStore } from '@weir/store'
import type { Catalogue } from '@weir/contracts'

type Given = Pick<
  RunBatchesDeps,
  | 'endings'
  | 'relay'
  | 'admission'
  | 'keptCompletions'
  | 'feeding'
  | 'batchLimits'
  | 'largeBodyBytes'
  | 'log'
  | 'onError'
> & {
  catalogue: Catalogue
  redis: Redis
  prefix: string
  metrics: Metrics
  databaseUrl: string
  timeoutMs: number
  commits: Parameters<typeof createAdmissions>[1]
  files: Parameters<typeof createFileStore>[1]
  priceRefreshMs: number
}

/** Connections of its own: who feeds or reads a file waits for no settlement, and no settlement waits for it. */
const CONNECTIONS = 6

/** The role `batches`: validates, feeds and finalizes them. Their lines run on the lane of batches. */
export async function openBatches(given: Given): Promise<AsyncDisposable> {
  const { catalogue, redis, prefix, metrics, onError, ...deps } = given
  const resources = new AsyncDisposableStack()
  const db: Database = resources.use(
    openDatabase(given.databaseUrl, { max: CONNECTIONS, timeoutMs: given.timeoutMs, onError }),
  )
  const prices = resources.use(
    await openPriceBook(createPrices(db), catalogue.models, { refreshMs: given.priceRefreshMs, onError }),
  )
  const work = createBatchWork(db)
  resources.use(
    runBatches({
      ...deps,
      catalogue,
      prices,
      admissions: resources.use(createAdmissions(db, given.commits)),
      lane: resources.use(openLane({ redis, prefix, lane: 'batch', onError })),
      items: createBatchItems(db),
      work,
      onFed: createBatchMetrics(metrics, work),
      files: createFileStore(db, given.files),
      onError,
    }),
  )
  return resources
}
