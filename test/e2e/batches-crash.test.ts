import { openOwnPostgres, openWeir } from '@weir/local/testing'
import { Redis } from 'ioredis'
import OpenAI, { toFile } from 'openai'
import { expect, test } from 'vitest'
import { asking, type Customer, customerOf } from './testing/customer.ts'
import { catalogueOf, quick } from './testing/catalogue.ts'
import { callsOf } from './testing/operator.ts'
import { openOwnRedis } from './testing/own-redis.ts'
import { rowsOf } from './testing/rows.ts'

const LINES = 5_000

/** What is lost is missed soon. */
const soon = {
  WEIR_LOCK_MS: '3000',
  WEIR_STALLED_INTERVAL_MS: '1000',
  WEIR_RECONCILE_AFTER_MS: '1000',
  WEIR_RECONCILE_INTERVAL_MS: '500',
}

/** All of a batch that goes well comes as fast as the machine allows; one that waits for what was lost waits for leases. */
const inTime = { interval: 100, timeout: 240_000 }

test(
  'workers, Redis and Postgres are lost in the middle of a batch: each line ends once, is told once and is charged once',
  { timeout: 360_000 },
  async () => {
    await using postgres = await openOwnPostgres()
    await using redis = await openOwnRedis()
    const env = { DATABASE_URL: postgres.url, REDIS_URL: redis.url }
    await using weir = await openWeir({
      // A line that is on its way stays there for long enough to be met.
      config: catalogueOf({ quick: { ...quick, latency_ms: 200 } }),
      workers: 2,
      apiEnv: env,
      workerEnv: { ...soon, ...env },
    })
    const customer = await customerOf(weir, { credits: 1_000_000 })
    const { client } = customer
    const id = await begunBatch(client)

    await midway(client, id, 500)
    weir.workers[0]!.kill('SIGKILL')
    await weir.startWorker()
    await midway(client, id, 1_500)
    await forgotten(redis.url)
    await midway(client, id, 2_200)
    weir.workers[1]!.kill('SIGKILL')
    await weir.startWorker()
    await midway(client, id, 3_200)
    await postgres.crash('stopped')
    await postgres.restart()

    await expect.poll(async () => (await standing(client, id))?.status, inTime).toBe('completed')
    const batch = (await standing(client, id))!
    expect(batch.request_counts).toEqual({ total: LINES, completed: LINES, failed: 0 })
    expect(batch.error_file_id).toBeUndefined()
    const results = await resultsIn(client, batch.output_file_id!)
    expect(results.map(({ custom_id }) => custom_id)).toEqual(customIds)
    expect(await linesOf(client, id)).toEqual(
      results.map(({ custom_id, response, credits_consumed }) => {
        return { custom_id, state: 'completed', completion_id: response.request_id, credits_consumed }
      }),
    )
    await expectChargedOnce(customer, batch, results)
    expect(await unfinishedIn(postgres.url)).toEqual([])
    expect((await callsOf(weir).get('ledger/check')).body).toMatchObject({ ok: true, findings: [] })
  },
)

/** As it is shown: more than the official types know. */
type Shown = OpenAI.Batch & { credits_consumed: number; credits_reserved: number }
type Result = { custom_id: string; response: { request_id: string }; credits_consumed: number }

const customIds = Array.from({ length: LINES }, (_, i) => `line-${i + 1}`)

async function begunBatch(client: OpenAI): Promise<string> {
  const endpoint = '/v1/chat/completions' as const
  const lines = customIds.map((custom_id) =>
    JSON.stringify({ custom_id, method: 'POST', url: endpoint, body: asking('quick', `About ${custom_id}.`) }),
  )
  const file = await client.files.create({
    file: await toFile(Buffer.from(lines.join('\n')), 'in.jsonl'),
    purpose: 'batch',
  })
  return (await client.batches.create({ input_file_id: file.id, endpoint, completion_window: '24h' })).id
}

/** Undefined while it cannot be told: something that it stands on is away. */
const standing = (client: OpenAI, id: string): Promise<Shown | undefined> =>
  client.batches.retrieve(id).then(
    (batch) => batch as Shown,
    (error: unknown) => {
      if (error instanceof OpenAI.APIConnectionError || (error as { status?: number }).status === 503) return undefined
      throw error
    },
  )

/** So many of its lines have been answered, and some are on their way at this moment. */
async function midway(client: OpenAI, id: string, done: number): Promise<void> {
  const stage = async () => {
    const batch = await standing(client, id)
    if (!batch) return 'not to be told'
    if (batch.status !== 'in_progress') return batch.status
    return batch.request_counts!.completed >= done && batch.credits_reserved > 0 ? 'midway' : 'before'
  }
  // Should it be over before, nothing is shown.
  await expect.poll(stage, inTime).toMatch(/midway|finalizing|completed/)
  expect(await stage()).toMatch(/midway|before/)
}

async function forgotten(url: string): Promise<void> {
  const redis = new Redis(url)
  await redis.flushall()
  redis.disconnect()
}

async function resultsIn(client: OpenAI, fileId: string): Promise<Result[]> {
  const text = await (await client.files.content(fileId)).text()
  const results = text.trimEnd().split('\n')
  return results.map((line) => JSON.parse(line) as Result)
}

type Line = Pick<Result, 'custom_id' | 'credits_consumed'> & { state: string; completion_id: string }
type Page = { data: Line[]; has_more: boolean; last_line: number }

async function linesOf(client: OpenAI, id: string): Promise<Line[]> {
  const all: Line[] = []
  for (let after = ''; ;) {
    const page = await client.get<Page>(`/batches/${id}/lines?limit=1000${after}`)
    for (const { custom_id, state, completion_id, credits_consumed } of page.data)
      all.push({ custom_id, state, completion_id, credits_consumed })
    if (!page.has_more) return all
    after = `&after=${page.last_line}`
  }
}

/** One entry for the completion of each line, of what the line is told to have cost, and none for anything else. */
async function expectChargedOnce(
  { entries, credits }: Customer,
  batch: Shown,
  results: readonly Result[],
): Promise<void> {
  const charges = (await entries()).filter(({ kind }) => kind === 'charge')
  const charged = charges.map(({ completion_id, credits }) => `${completion_id} ${-credits}`)
  expect(charged.sort()).toEqual(
    results.map(({ response, credits_consumed }) => `${response.request_id} ${credits_consumed}`).sort(),
  )
  const sum = results.reduce((sum, { credits_consumed }) => sum + microcredits(credits_consumed), 0)
  expect(sum).toBeGreaterThan(0)
  expect(microcredits(batch.credits_consumed)).toBe(sum)
  expect(microcredits((batch.usage as unknown as { credits_consumed: number }).credits_consumed)).toBe(sum)
  expect(batch.credits_reserved).toBe(0)
  const { balance, reserved } = await credits()
  expect([microcredits(balance), reserved]).toEqual([microcredits(1_000_000) - sum, 0])
}

const microcredits = (credits: number): number => Math.round(credits * 1_000_000)

/** Tries that have not ended, reservations that are open, and counts that are not those of the lines. */
const unfinishedIn = (databaseUrl: string) =>
  rowsOf(
    databaseUrl,
    `select 'completion' as what, id from store.completion where ended_at is null
     union all select 'reservation', id from ledger.reservation where state = 'open'
     union all select 'batch', id from store.batch b where completed <> total or reserved <> 0 or charged <> (
       select sum(i.charged) from store.batch_item i where i.batch_id = b.id and i.state = 'completed')`,
  )
