import type { AccountId } from '@weir/contracts'
import { expect } from 'vitest'
import type { Amendment } from '../amendments.ts'
import type { Decided } from './lanes.ts'
import type { Named } from './model/amendments.ts'
import type { Micros } from './model/books.ts'
import type { Model } from './model/index.ts'

/** An amendment that was done, and when: its place among the batches. */
export type Amended = { amendment: Amendment; named: Named & { at: Micros } }

/**
 * Replays in the model what was decided concurrently, and demands the same answers. Each decision names how many batches
 * had changed its account before: that is their order, and there is nothing to search. A batch that changed nothing comes
 * before the one that did so from the same state.
 */
export function replay(
  model: Model,
  accountId: AccountId,
  batches: readonly Decided[][],
  amended: readonly Amended[] = [],
) {
  const parts = batches.map((batch) => batch.filter(({ op }) => op.accountId === accountId)).filter((part) => part[0])
  const changes = parts.filter((part) => part.some(({ changed }) => changed))
  const idle = parts.filter((part) => !changes.includes(part))

  const taken = new Set(changes.map((part) => part[0]!.version))
  expect(taken.size, 'two batches changed the account from the same state').toBe(changes.length)
  const first = model.books.accounts.get(accountId)?.version ?? 0n
  const all = Array.from({ length: changes.length + amended.length }, (_, i) => first + BigInt(i))
  // The versions that no batch has are those of the amendments.
  const free = all.filter((version) => !taken.has(version))
  expect(free.length, 'a batch is missing').toBe(amended.length)

  const ofVersion = Map.groupBy(idle, (part) => part[0]!.version)
  const changeOf = new Map(changes.map((part) => [part[0]!.version, part]))
  const amendmentOf = new Map(
    amended.toSorted((a, b) => Number(a.named.at - b.named.at)).map((one, i) => [free[i]!, one]),
  )
  for (const version of [...all, first + BigInt(all.length)]) {
    for (const part of ofVersion.get(version) ?? []) replayPart(model, part)
    const change = changeOf.get(version)
    if (change) replayPart(model, change)
    const one = amendmentOf.get(version)
    if (one) expect(model.amend([one.amendment], [one.named], one.named.at)).toMatchObject([{ kind: 'done' }])
  }
}

function replayPart(model: Model, part: readonly Decided[]): void {
  const [{ at }] = part as [Decided]
  const answers = model.apply(
    part.map(({ op }) => op),
    at,
  )
  expect(part.map(({ verdict }) => verdict)).toEqual(answers)
}
