import { uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import { type Asked, type NamedAmendment, printed } from './journal.ts'
import { possibleStandings, shows, standingRows, stepsOf } from './standings.ts'
import type { AmendVerdict } from '../../amendments.ts'

/**
 * Where the rows contradict what was asked and told: something acknowledged is not there just so, something that nobody
 * was told about is there in part, or something is there that nobody asked for. Empty when they agree, never more
 * than the first twenty.
 */
export async function contradictionsIn(db: Database, asked: readonly Asked[]): Promise<string[]> {
  return [...(await ofCompletions(db, asked)), ...(await ofAmendments(db, asked))].slice(0, 20)
}

async function ofCompletions(db: Database, asked: readonly Asked[]): Promise<string[]> {
  const rows = await standingRows(db)
  const found: string[] = []
  for (const [completionId, steps] of stepsOf(asked)) {
    const row = rows.get(uuidOf(completionId))
    rows.delete(uuidOf(completionId))
    if (possibleStandings(steps).some((standing) => shows(row, standing))) continue
    found.push(`${completionId}: asked and told ${printed(steps)}, but there stands ${printed(row)}`)
  }
  return [...found, ...[...rows.values()].map((row) => `nobody asked for ${printed(row)}`)]
}

type ActionRow = {
  id: string
  account: string
  kind: string
  reference: string
  amount: bigint | null
  moved: bigint
  /** The sum of its entries. */
  entered: bigint
}

async function ofAmendments(db: Database, asked: readonly Asked[]): Promise<string[]> {
  const { rows } = await sql<ActionRow>`
    select a.id, a.account_id as account, a.kind, a.reference, a.amount, a.moved,
      (select coalesce(sum(e.amount), 0)::bigint from ledger.entry e where e.ref = a.id) as entered
    from ledger.action a where a.reference like 'load:%'`.execute(db)
  const actions = Map.groupBy(rows, ({ reference }) => reference)
  const found: string[] = []
  for (const { amendment, told } of asked.filter((one) => 'amendment' in one)) {
    const there = actions.get(amendment.reference) ?? []
    actions.delete(amendment.reference)
    if (there.length < 2 && isRight(there[0], amendment, told)) continue
    found.push(
      `${amendment.reference}: asked ${printed(amendment)}, told ${printed(told)}, but there stands ${printed(there)}`,
    )
  }
  return [...found, ...[...actions.values()].map((row) => `nobody asked for ${printed(row)}`)]
}

function isRight(row: ActionRow | undefined, asked: NamedAmendment, told: AmendVerdict | undefined): boolean {
  const isDone = told && 'moved' in told
  if (!row) return !isDone
  if (told && !isDone) return false
  const asAsked =
    row.account === uuidOf(asked.accountId) &&
    row.kind === asked.op &&
    row.amount === ('amount' in asked ? asked.amount : null)
  const asTold = !isDone || (row.id === uuidOf(told.actionId) && abs(row.moved) === told.moved)
  return asAsked && asTold && row.entered === row.moved
}

const abs = (amount: bigint): bigint => (amount < 0n ? -amount : amount)
