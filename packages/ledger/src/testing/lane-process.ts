import { text } from 'node:stream/consumers'
import { openDatabase } from '@weir/runtime'
import fc from 'fast-check'
import { type Arena, claimsOn, operationIn } from './contention.ts'
import { type Decided, PATIENCE_MS, createNotingLane } from './lanes.ts'

/** What a process is told on its standard input, and what it tells on its standard output. */
export type Errand = { url: string; arena: Arena; seed: number; operations: number; lanes: number; maxBatch: number }
export type Report = { batches: Decided[][]; failures: string[] }

export const encode = (value: unknown) =>
  JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? { bigint: part.toString() } : part))
export const decode = (json: string): unknown =>
  JSON.parse(json, (_, part: unknown) => (isBigint(part) ? BigInt(part.bigint) : part))
const isBigint = (part: unknown): part is { bigint: string } =>
  typeof part === 'object' && part !== null && 'bigint' in part && typeof part.bigint === 'string'

/** One process of several: sends the operations of its seed through its lanes and reports every batch. */
async function run({ url, arena, seed, operations, lanes, maxBatch }: Errand): Promise<Report> {
  const report: Report = { batches: [], failures: [] }
  await using connections = new AsyncDisposableStack()
  const opened = Array.from({ length: lanes }, () => {
    const db = connections.use(openDatabase(url, { max: 1, timeoutMs: PATIENCE_MS, onError: () => {} }))
    return connections.use(createNotingLane(db, report, maxBatch))
  })
  const [claims = []] = fc.sample(claimsOn(arena, operations), { seed, numRuns: 1 })
  await Promise.all(claims.map((claim, i) => opened[i % lanes]!.submit(operationIn(arena, claim))))
  return report
}

if (import.meta.main) process.stdout.write(encode(await run(decode(await text(process.stdin)) as Errand)))
