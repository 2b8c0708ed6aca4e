import { rowsOf } from '../../e2e/testing/rows.ts'

export type BooksAnswer = {
  /** What the service's own check found. */
  findings: { invariant: string; subject: string; message: string }[]
  /** Accounts whose balance is not the sum of their entries, or who still have something set aside. */
  unbalanced: string[]
}

const CHECK_TIMEOUT_MS = 120_000

/** Asks the service whether its books are whole, and adds up once more without it. */
export async function readBooks(place: { url: string; adminKey: string; databaseUrl: string }): Promise<BooksAnswer> {
  const response = await fetch(`${place.url}/admin/v1/ledger/check`, {
    headers: { authorization: `Bearer ${place.adminKey}` },
    signal: AbortSignal.timeout(CHECK_TIMEOUT_MS),
  })
  if (!response.ok) throw new Error(`the check of the books answered ${response.status}: ${await response.text()}`)
  const { findings } = (await response.json()) as BooksAnswer
  return { findings, unbalanced: await unbalancedIn(place.databaseUrl) }
}

async function unbalancedIn(databaseUrl: string): Promise<string[]> {
  const rows = await rowsOf<{ id: string; balance: string; held: string; sum: string }>(
    databaseUrl,
    `select a.id, a.balance, a.held, coalesce(sum(e.amount), 0) as sum
     from ledger.account a left join ledger.entry e on e.account_id = a.id and e.kind <> 'uncollected'
     group by a.id having a.held <> 0 or a.balance <> coalesce(sum(e.amount), 0)`,
  )
  return rows.map(({ id, balance, held, sum }) => `account ${id}: balance ${balance}, entries ${sum}, held ${held}`)
}
