import { type CompletionId, type Microcredits, uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import type { Operation } from '../../operations.ts'
import type { ReservationState } from '../../tables.ts'
import type { Asked } from './journal.ts'
import type { Verdict } from '../lanes.ts'

/** How a completion stands in the books: its reservation, and what its entries say. */
export type Standing = {
  account: string
  quote: Microcredits
  amount: Microcredits
  state: ReservationState
  cost: Microcredits | null
  /** In what may stand, undefined where nobody was told: then it depends on what the account had. */
  captured: Microcredits | undefined
}

type Step = { operation: Operation; told?: Verdict | undefined }
export type Steps = Map<CompletionId, Step[]>

export function stepsOf(asked: readonly Asked[]): Steps {
  const steps = asked.filter((one) => 'operation' in one)
  return Map.groupBy(steps, ({ operation }) => operation.completionId)
}

/**
 * All the ways a completion may stand after what was asked for it, one after the other; undefined is not at all. What was
 * told has happened just so. Of what nobody was told about, each may have happened or not.
 */
export function possibleStandings(steps: readonly Step[]): (Standing | undefined)[] {
  let possible: (Standing | undefined)[] = [undefined]
  for (const step of steps) {
    const after = possible.map((standing) => standingAfter(standing, step))
    possible = step.told ? after : [...possible, ...after]
  }
  return possible
}

function standingAfter(standing: Standing | undefined, { operation, told }: Step): Standing | undefined {
  if (operation.kind === 'reserve') {
    if (told && told.kind !== 'reserved') return undefined
    const { accountId, quote } = operation
    const amount = told ? told.amount : quote
    return { account: uuidOf(accountId), quote, amount, state: 'open', cost: null, captured: 0n }
  }
  if (!standing) return undefined
  if (operation.kind === 'extend') {
    if (told) return told.kind === 'extended' ? { ...standing, amount: told.amount } : standing
    return { ...standing, amount: larger(standing.amount, operation.amount ?? 0n) }
  }
  const state = ({ settle: 'settled', release: 'released', expire: 'expired' } as const)[operation.kind]
  if (!told) return { ...standing, state, cost: operation.kind === 'settle' ? operation.cost : 0n, captured: undefined }
  if (!('charged' in told)) return standing
  return { ...standing, state, cost: told.charged + told.uncollected, captured: told.charged }
}

/** Whether the rows of a completion show this standing and no other. */
export function shows(row: StandingRow | undefined, standing: Standing | undefined): boolean {
  if (!row || !standing) return !row && !standing
  const { account, quote, amount, state, cost, captured } = standing
  const sameReservation =
    row.account === account && row.quote === quote && row.amount === amount && row.state === state && row.cost === cost
  // Within its reservation the credits are there, so at least that was taken.
  const least = captured ?? (cost! < amount ? cost! : amount)
  const rightCharge = least <= row.captured && row.captured <= (captured ?? cost!)
  return sameReservation && rightCharge && row.charged === row.captured && row.missed === (cost ?? 0n) - row.captured
}

/** `charged` and `missed` (not collected) are the sums of the entries. */
export type StandingRow = Omit<Standing, 'captured'> & {
  id: string
  captured: Microcredits
  charged: Microcredits
  missed: Microcredits
}

/** All completions in the books, by the UUID of their id. */
export async function standingRows(db: Database): Promise<Map<string, StandingRow>> {
  const { rows } = await sql<StandingRow>`
    select coalesce(r.id, e.ref) as id, r.account_id as account, r.quote, r.amount, r.state, r.cost, r.captured,
      coalesce(e.charged, 0) as charged, coalesce(e.missed, 0) as missed
    from ledger.reservation r full join (
      select ref, (-sum(amount) filter (where kind = 'charge'))::bigint as charged,
        (-sum(amount) filter (where kind = 'uncollected'))::bigint as missed
      from ledger.entry where kind in ('charge', 'uncollected') group by ref
    ) e on e.ref = r.id`.execute(db)
  return new Map(rows.map((row) => [row.id, row]))
}

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b)
