import { openWeir } from '@weir/local/testing'
import { Redis } from 'ioredis'
import { toFile } from 'openai'
import { expect, test } from 'vitest'
import { catalogueOf, quick } from './testing/catalogue.ts'
import { customerOf } from './testing/customer.ts'
import { openOwnRedis } from './testing/own-redis.ts'
import { residentBytes } from './testing/resident-bytes.ts'

const LINES = 50_000
const MEGABYTE = 1_048_576

/** A batch takes as long as the machine needs; nothing else of it is bounded by time. */
const inTime = { interval: 500, timeout: 900_000 }

test(
  'fifty thousand lines run to their end, and neither Redis nor a process takes memory for each of them',
  { timeout: 1_000_000 },
  async () => {
    await using redis = await openOwnRedis()
    const env = { REDIS_URL: redis.url }
    await using weir = await openWeir({ config: catalogueOf({ quick }), apiEnv: env, workerEnv: env })
    const { client } = await customerOf(weir, { credits: 10_000_000 })
    const connection = new Redis(redis.url)
    const peak = { redis: 0, api: 0, worker: 0 }
    const watch = async () => {
      const memory = /^used_memory:(\d+)/m.exec(await connection.info('memory'))?.[1]
      peak.redis = Math.max(peak.redis, Number(memory))
      peak.api = Math.max(peak.api, await residentBytes(weir.apis[0]!.pid))
      peak.worker = Math.max(peak.worker, await residentBytes(weir.workers[0]!.pid))
    }

    const lines = Array.from({ length: LINES }, (_, i) => lineOf(`line-${i + 1}`))
    const file = await client.files.create({
      file: await toFile(Buffer.from(lines.join('\n')), 'in.jsonl'),
      purpose: 'batch',
    })
    const endpoint = '/v1/chat/completions' as const
    const { id } = await client.batches.create({ input_file_id: file.id, endpoint, completion_window: '24h' })
    let early: typeof peak | undefined
    const isOver = async () => {
      await watch()
      const { status, request_counts } = await client.batches.retrieve(id)
      if (!early && request_counts!.completed > LINES / 5) early = { ...peak }
      return status
    }
    await expect.poll(isOver, inTime).toBe('completed')

    const batch = await client.batches.retrieve(id)
    expect(batch.request_counts).toEqual({ total: LINES, completed: LINES, failed: 0 })
    expect(peak.redis).toBeLessThan(64 * MEGABYTE)
    // From a fifth of the way on nothing grows with the lines: 40,000 of them would be 80 MB at 2 KB each.
    expect(peak.api - early!.api).toBeLessThan(80 * MEGABYTE)
    expect(peak.worker - early!.worker).toBeLessThan(80 * MEGABYTE)
    const seen = new Set<string>()
    const output = await (await client.files.content(batch.output_file_id!)).text()
    for (const line of output.trimEnd().split('\n')) seen.add((JSON.parse(line) as { custom_id: string }).custom_id)
    expect(seen.size).toBe(LINES)
    connection.disconnect()
  },
)

const lineOf = (custom_id: string): string =>
  JSON.stringify({
    custom_id,
    method: 'POST',
    url: '/v1/chat/completions',
    body: { model: 'quick', messages: [{ role: 'user', content: `Tell me about ${custom_id}.` }], max_tokens: 20 },
  })
