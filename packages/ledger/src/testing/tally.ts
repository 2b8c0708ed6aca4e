import { type Books, type ModelAccount, type ModelReservation, endOf, sum } from './model/books.ts'

export type Tally = Map<string, number>

/** Answers that are rare by themselves, and that a test of random programs shall have met all the same. */
const rareAnswers = [
  'reserve: conflict',
  'reserve: account_frozen',
  'reserve: key_limit_exceeded',
  'extend: insufficient_credits',
  'expire: waiting',
  'refund: exceeds_charge',
  'grant: conflict',
  'adjust: insufficient_credits',
]
export const newTally = (): Tally => new Map(rareAnswers.map((answer) => [answer, 0]))

/** What tests of random programs hope to meet, counted in the books they leave: a test that never meets it shows nothing. */
export function tallyOf(books: Books, tally: Tally): void {
  const met = (name: string, times: number) => tally.set(name, (tally.get(name) ?? 0) + times)
  const reservations = [...books.reservations.values()]
  const count = (test: (reservation: ModelReservation) => boolean) => reservations.filter(test).length

  met(
    'an answer was clamped',
    count(({ quote, amount, state }) => state === 'settled' && amount < quote),
  )
  met(
    'a reservation was raised',
    count(({ quote, amount }) => amount > quote),
  )
  met(
    'a completion cost more than was reserved',
    count(({ cost, amount }) => cost !== null && cost > amount),
  )
  met(
    'not all of a cost could be collected',
    count(({ cost, captured }) => cost !== null && cost > captured),
  )
  met(
    'two limits of a key counted',
    count(({ counted }) => counted.length > 1),
  )
  for (const state of ['open', 'settled', 'released', 'expired'])
    met(
      `a reservation ended ${state}`,
      count((reservation) => reservation.state === state),
    )
  for (const account of books.accounts.values()) tallyAccount(books, account, met)
}

function tallyAccount(books: Books, account: ModelAccount, met: (name: string, times: number) => void): void {
  const { entries, grants, actions } = account
  const charges = entries.filter(({ kind }) => kind === 'charge')
  const grantOf = (id: unknown) => grants.find((grant) => grant.id === id)!

  const afterTheEnd = charges.filter(
    ({ grantId, createdAt }) => (endOf(grantOf(grantId)) ?? createdAt + 1n) <= createdAt,
  )
  met('a completion was paid from a grant that had ended meanwhile', afterTheEnd.length)
  const drawn = Map.groupBy(charges, ({ ref }) => ref)
  met('a completion was paid from several grants', [...drawn.values()].filter(({ length }) => length > 1).length)

  const of = (kind: string) => actions.filter((action) => action.kind === kind)
  met('a revoked grant had to wait', of('revoke').filter(({ moved }) => moved === 0n).length)
  met('a revoked grant was taken at once', of('revoke').filter(({ moved }) => moved < 0n).length)
  met('a grant was forfeited', of('expire').length)
  met('credits were taken by hand', of('adjust').filter(({ moved }) => moved < 0n).length)

  const refunds = Map.groupBy(of('refund'), ({ completionId }) => books.reservations.get(completionId!)!)
  met('a completion was refunded twice', [...refunds.values()].filter(({ length }) => length > 1).length)
  const partial = [...refunds].filter(([{ captured }, some]) => sum(some.map(({ moved }) => moved)) < captured)
  met('a completion was refunded in part', partial.length)
  const reopened = entries.filter(
    ({ kind, grantId, createdAt }) => kind === 'refund' && grantOf(grantId).createdAt === createdAt,
  )
  met('a refund made a new grant', reopened.length)
}
