import { batchIdOf, completionIdOf } from '@weir/contracts'
import { rowsOf } from '../../e2e/testing/rows.ts'
import { PRICE } from '../place/settings.ts'

/** A completion as Postgres has it at the end, with its reservation and its entries. */
export type Row = {
  id: string
  /** The play whose request it was, as its quote tells. */
  play: number
  /** Of a line of a batch: the token of its prompt, as its metadata tells, and the batch whose line it ended. */
  line: string | null
  batch: string | null
  state: string
  errorCode: string | null
  input: number
  output: number
  usageSource: string | null
  charged: bigint | null
  attempts: number | null
  reservation: string | null
  captured: bigint | null
  chargeEntries: number
  chargedByEntries: bigint
  createdAt: Date
  endedAt: Date | null
}

const select = `
  select c.id, c.metadata ->> 'line' as line, i.batch_id, c.state, c.error_code, c.input_tokens, c.cached_input_tokens, c.output_tokens, c.usage_source, c.charged,
    c.attempts, c.created_at, c.ended_at, r.state as reservation, r.quote, r.captured,
    (select count(*) from ledger.entry e where e.ref = c.id and e.kind = 'charge') as charge_entries,
    (select coalesce(-sum(e.amount), 0) from ledger.entry e where e.ref = c.id and e.kind = 'charge') as charged_by_entries
  from store.completion c left join ledger.reservation r on r.id = c.id left join store.batch_item i on i.completion_id = c.id
  order by c.id`

type Columns = Record<string, string | number | null> & { created_at: Date; ended_at: Date | null }

/** Of one token of the answer, in microcredits. */
const outputPrice = (PRICE.output / PRICE.per) * 1_000_000

/** All completions. The first one is that of play 0, from before there were any faults: it tells what all quotes have in common. */
export async function readRows(databaseUrl: string): Promise<Row[]> {
  const found = await rowsOf<Columns>(databaseUrl, select)
  const base = Number(found[0]?.['quote'])
  return found.map((row) => ({
    id: completionIdOf(String(row['id'])),
    play: playIn(row['line']) ?? (Number(row['quote']) - base) / outputPrice,
    line: textOrNull(row['line']),
    batch: row['batch_id'] == null ? null : batchIdOf(String(row['batch_id'])),
    state: String(row['state']),
    errorCode: textOrNull(row['error_code']),
    input: Number(row['input_tokens'] ?? 0) + Number(row['cached_input_tokens'] ?? 0),
    output: Number(row['output_tokens'] ?? 0),
    usageSource: textOrNull(row['usage_source']),
    charged: bigintOrNull(row['charged']),
    attempts: row['attempts'] === null ? null : Number(row['attempts']),
    reservation: textOrNull(row['reservation']),
    captured: bigintOrNull(row['captured']),
    chargeEntries: Number(row['charge_entries']),
    chargedByEntries: BigInt(String(row['charged_by_entries'])),
    createdAt: row.created_at,
    endedAt: row.ended_at,
  }))
}

/** Files that are whole and there. */
export const namesOfFiles = async (databaseUrl: string): Promise<string[]> => {
  const rows = await rowsOf<{ filename: string }>(
    databaseUrl,
    "select filename from store.file where state = 'processed'",
  )
  return rows.map(({ filename }) => filename)
}

/** A line of a batch says whose it is. */
const playIn = (line: unknown): number | undefined =>
  line == null ? undefined : Number(/^t(\d+)-/.exec(String(line))?.[1])

const textOrNull = (value: unknown): string | null => (value == null ? null : String(value))
const bigintOrNull = (value: unknown): bigint | null => (value == null ? null : BigInt(String(value)))
