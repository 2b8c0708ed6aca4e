import {
  type AccountId,
  type ActionId,
  type CompletionId,
  type GrantId,
  type Microcredits,
  actionIdOf,
  newActionId,
  newGrantId,
  uuidOf,
} from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import type { GrantKind } from './tables.ts'

/** A new grant. Lower priorities are drawn first, then the earlier expiry, then promotional before paid. */
export type NewGrant = {
  kind: GrantKind
  amount: Microcredits
  /** From 0 to 32767; 100 when nothing else is said. */
  priority?: number | undefined
  expiresAt?: Date | undefined
}

/** What is done to an account by an operator or by time. */
export type Change =
  | ({ op: 'grant' } & NewGrant)
  /** Ends a grant now. What open reservations may still need is taken when they have ended, by `expire`. */
  | { op: 'revoke'; grantId: GrantId }
  /** Takes what is left of a grant that has ended. */
  | { op: 'expire'; grantId: GrantId }
  /** Upwards it gives a grant, downwards it takes from what is available, or nothing. */
  | ({ op: 'adjust' } & NewGrant)
  /** Gives back what a completion was charged, to the grants it came from: `amount` of it, or all that is left. */
  | { op: 'refund'; completionId: CompletionId; amount?: Microcredits | undefined }
  | { op: 'freeze' | 'unfreeze' }

export type Amendment = Change & {
  accountId: AccountId
  /** Who does it. */
  actor: string
  /** Required but for `grant` and `expire`. */
  reason?: string | undefined
  /**
   * The same one with the same content, the reason included, happens once. Without one, every call is another amendment.
   * Expiries have names of their own: no other change can take theirs.
   */
  reference?: string | undefined
}

export type AmendVerdict =
  | { kind: 'done' | 'repeated'; actionId: ActionId; moved: Microcredits }
  | { kind: 'insufficient_credits' | 'exceeds_charge'; available: Microcredits }
  /** It has `most` grants that hold credits. */
  | { kind: 'too_many_grants'; most: number }
  | { kind: 'not_found' | 'conflict' | 'ended' | 'not_ended' | 'waiting' }

export type AmendOptions = {
  /** An account with so many grants that hold credits gets no more: each of them is looked at for every charge. */
  maxOpenGrants: number
}

export const DEFAULT_PRIORITY = 100

/** Applies a batch of amendments in one transaction, each with its own verdict. */
export async function amend(
  db: Database,
  amendments: readonly Amendment[],
  { maxOpenGrants }: AmendOptions,
): Promise<AmendVerdict[]> {
  const order = amendments
    .map(({ accountId }, i) => ({ account: uuidOf(accountId), i }))
    .sort((a, b) => (a.account < b.account ? -1 : a.account > b.account ? 1 : a.i - b.i))
  const rows = order.map(({ account, i }) => rowOf(amendments[i]!, account))
  const column = <Name extends keyof Row>(name: Name) => rows.map((row) => row[name])

  const result = await sql<{ verdict: number[]; figure: bigint[]; made: string[] }>`
    select * from ledger.amend(
      ${column('op')}::text[], ${column('account')}::uuid[], ${column('action')}::uuid[], ${column('reference')}::text[],
      ${column('amount')}::bigint[], ${column('kind')}::text[], ${column('priority')}::smallint[],
      ${column('expiresAt')}::timestamptz[], ${column('target')}::uuid[], ${column('actor')}::text[],
      ${column('reason')}::text[], ${maxOpenGrants}::int)`.execute(db)
  const { verdict, figure, made } = result.rows[0]!

  const verdicts: AmendVerdict[] = []
  order.forEach(({ i }, at) => (verdicts[i] = verdictOf(verdict[at]!, figure[at]!, made[at]!, maxOpenGrants)))
  return verdicts
}

type Row = ReturnType<typeof rowOf>

function rowOf(amendment: Amendment, account: string) {
  const { op, actor, reason = null } = amendment
  const action = uuidOf(newActionId())
  const { reference = op === 'expire' ? `expire:${amendment.grantId}` : action } = amendment
  const grant = op === 'grant' || (op === 'adjust' && amendment.amount > 0n) ? amendment : undefined
  return {
    op,
    account,
    action,
    reference,
    amount: 'amount' in amendment ? (amendment.amount ?? null) : null,
    kind: grant ? grant.kind : null,
    priority: grant ? (grant.priority ?? DEFAULT_PRIORITY) : null,
    expiresAt: grant?.expiresAt?.toISOString() ?? null,
    target: targetOf(amendment),
    actor,
    reason,
  }
}

function targetOf(change: Change): string | null {
  switch (change.op) {
    case 'grant':
    case 'adjust':
      return uuidOf(newGrantId())
    case 'revoke':
    case 'expire':
      return uuidOf(change.grantId)
    case 'refund':
      return uuidOf(change.completionId)
    default:
      return null
  }
}

function verdictOf(code: number, figure: bigint, made: string, maxOpenGrants: number): AmendVerdict {
  switch (code) {
    case 0:
    case 1:
      return { kind: code === 0 ? 'done' : 'repeated', actionId: actionIdOf(made), moved: figure }
    case 2:
      return { kind: 'insufficient_credits', available: figure }
    case 8:
      return { kind: 'too_many_grants', most: maxOpenGrants }
    case 12:
      return { kind: 'exceeds_charge', available: figure }
    default: {
      const kind = refusals[code]
      if (!kind) throw new Error(`ledger.amend answered ${code}`)
      return { kind }
    }
  }
}

const refusals: Record<number, 'not_found' | 'conflict' | 'ended' | 'not_ended' | 'waiting'> = {
  3: 'not_found',
  4: 'conflict',
  9: 'ended',
  10: 'not_ended',
  11: 'waiting',
}
