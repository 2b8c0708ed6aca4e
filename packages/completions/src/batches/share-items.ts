import type { BatchId } from '@weir/contracts'
import type { Batch } from '@weir/store'

type Standing = Pick<Batch, 'id' | 'accountId' | 'paused'> & { lines: Pick<Batch['lines'], 'pending' | 'running'> }

/** One that is paused is tried with a single line: whether it may go on. */
const PROBE = 1

/**
 * Shares out places among batches: each goes to the account of which the fewest lines run, and there to the batch of which
 * the fewest run. What is shared is places, which long lines hold for longer: so everybody gets the same part of the
 * workers, whatever their lines are like.
 */
export function shareItems(batches: readonly Standing[], room: number): Map<BatchId, number> {
  const accounts = new Map<string, { running: number; batches: Share[] }>()
  for (const batch of batches) {
    const account = accounts.get(batch.accountId) ?? { running: 0, batches: [] }
    accounts.set(batch.accountId, account)
    const { running, pending } = batch.lines
    account.running += running
    account.batches.push({ id: batch.id, running, left: batch.paused ? Math.min(PROBE, pending) : pending, given: 0 })
  }

  const all = [...accounts.values()]
  for (let left = room; left > 0; left--) {
    const account = fewest(all.filter(({ batches: own }) => own.some(hasLeft)))
    if (!account) break
    const batch = fewest(account.batches.filter(hasLeft))!
    account.running++
    batch.running++
    batch.left--
    batch.given++
  }
  const shares = all.flatMap(({ batches: own }) => own).filter(({ given }) => given > 0)
  return new Map(shares.map(({ id, given }) => [id, given]))
}

type Share = { id: BatchId; running: number; left: number; given: number }

const hasLeft = ({ left }: Share): boolean => left > 0

/** Of equals the first. */
const fewest = <T extends { running: number }>(those: readonly T[]): T | undefined =>
  those.reduce<T | undefined>((least, each) => (least && least.running <= each.running ? least : each), undefined)
