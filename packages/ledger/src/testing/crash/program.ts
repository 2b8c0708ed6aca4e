import { type AccountId, newCompletionId } from '@weir/contracts'
import type { AmendVerdict } from '../../amendments.ts'
import type { Operation } from '../../operations.ts'
import type { NamedAmendment, Notes } from './journal.ts'
import type { ClientLanes } from './client-lanes.ts'
import type { Random } from './random.ts'
import type { Verdict } from '../lanes.ts'

type Program = {
  lanes: ClientLanes
  notes: Notes
  random: Random
  accounts: readonly AccountId[]
  onTold?: () => void
}

/** What a client does with the ledger, one thing at a time: a completion with all that belongs to it, or an amendment. */
export function createProgram({ lanes, notes, random, accounts, onTold = () => {} }: Program): () => Promise<void> {
  const { between, chance, pick } = random

  async function ask(operation: Operation): Promise<Verdict> {
    const at = notes.asked({ operation })
    const verdict = await lanes.submit(operation)
    notes.told(at, verdict)
    onTold()
    return verdict
  }

  async function amend(amendment: NamedAmendment): Promise<AmendVerdict> {
    const at = notes.asked({ amendment })
    const verdict = await lanes.amend(amendment)
    notes.told(at, verdict)
    onTold()
    return verdict
  }

  /** Reserves, sometimes extends, and ends in one of all ways, also above what was reserved; a few are left open. */
  async function runCompletion(accountId: AccountId): Promise<void> {
    const completionId = newCompletionId()
    const quote = BigInt(between(1, 60))
    const verdict = await ask({ kind: 'reserve', accountId, completionId, quote })
    if (verdict.kind !== 'reserved') return
    if (chance(30)) await ask({ kind: 'extend', accountId, completionId, amount: quote + BigInt(between(-5, 20)) })
    if (chance(5)) return
    const cost = BigInt(between(0, Number(quote) + 10))
    const kind = pick(['settle', 'settle', 'settle', 'settle', 'release', 'expire'] as const)
    await ask(kind === 'settle' ? { kind, accountId, completionId, cost } : { kind, accountId, completionId })
    if (kind !== 'settle' || !chance(10)) return
    await amend({ op: 'refund', completionId, amount: cost / 2n + 1n, accountId, ...because(completionId) })
  }

  async function amendOnce(accountId: AccountId): Promise<void> {
    const kind = pick(['promotional', 'subscription', 'purchased'] as const)
    const op = pick(['grant', 'adjust', 'adjust'] as const)
    const amount = BigInt(op === 'adjust' && chance(50) ? between(-150, -1) : between(50, 400))
    await amend({ op, kind, amount, accountId, ...because(newCompletionId()) })
  }

  return async () => {
    const accountId = pick(accounts)
    await (chance(10) ? amendOnce(accountId) : runCompletion(accountId))
  }
}

/** Begins a new one whenever one has ended, with so many at a time, until it is told to stop. */
export async function keepBusy(work: () => Promise<void>, atATime: number, isOver: () => boolean): Promise<void> {
  const one = async () => {
    while (!isOver()) await work()
  }
  await Promise.all(Array.from({ length: atATime }, one))
}

function because(name: string) {
  return { actor: 'client', reason: 'a load', reference: `load:${name}` }
}
