import { createLogger, createMetrics } from '@weir/runtime'
import { expect, test } from 'vitest'
import { type KeepBooksDeps, keepBooks } from './keep-books.ts'

const HOUR_MS = 3_600_000

/** A maintainer of books that lie elsewhere. Each check is handed to the test, which says what it finds. */
function maintained(options: Partial<KeepBooksDeps> = {}) {
  const checks: ((findings: number) => void)[] = []
  const waiting: (() => void)[] = []
  const metrics = createMetrics()
  const keeping = keepBooks({
    ledger: { endedGrants: async () => [], amend: async () => [] },
    keepMonths: async () => ({ made: [], detached: [], left: [] }),
    checkBooks: () =>
      new Promise((resolve) => {
        const report = { checkedAt: new Date(7_000), accounts: 0, entries: 0, reservations: 0, findings: [] }
        checks.push((unlisted) => resolve({ ...report, unlisted }))
        waiting.shift()?.()
      }),
    metrics,
    upkeepMs: HOUR_MS,
    checkMs: HOUR_MS,
    log: createLogger({ name: 'test', level: 'silent' }),
    ...options,
  })
  return {
    nextCheck: async () => {
      if (checks.length === 0) await new Promise<void>((resolve) => waiting.push(resolve))
      return checks.shift()!
    },
    told: () => metrics.metrics(),
    [Symbol.asyncDispose]: async () => {
      for (const end of checks) end(0)
      await keeping[Symbol.asyncDispose]()
    },
  }
}

test('the books are checked soon after the start, not an interval later', async () => {
  await using books = maintained({ firstCheckMs: 1 })

  const end = await books.nextCheck()

  end(0)
})

test('nothing is told of findings before there was a check, and from then on what it found', async () => {
  await using books = maintained({ firstCheckMs: 1, checkMs: 1 })
  const first = await books.nextCheck()
  const before = await books.told()

  first(2)
  const second = await books.nextCheck()

  expect(before).not.toContain('weir_ledger_findings')
  expect(before).not.toContain('weir_ledger_checked_timestamp_seconds')
  expect(await books.told()).toMatch(/^weir_ledger_findings 2$/m)
  expect(await books.told()).toMatch(/^weir_ledger_checked_timestamp_seconds 7$/m)
  second(0)
})

test('a worker that stops does not wait for its first check', async () => {
  const books = maintained()

  await books[Symbol.asyncDispose]()

  expect(await books.told()).not.toContain('weir_ledger_findings')
})
