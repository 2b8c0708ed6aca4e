import { inputName } from '../traffic/batch-plays.ts'
import { type BatchCase, checkResults } from './check-results.ts'
import { type Case, casesOf, type Evidence, type Violation } from './evidence.ts'

/** Each batch that a client knows of has ended as it had to, with each of its lines; and nothing was charged beside them. */
export function checkBatches(evidence: Evidence): Violation[] {
  const ofPlays = Map.groupBy(casesOf(evidence), ({ play }) => play.number)
  return [...ofPlays.values()].flatMap(([whole, ...lines]) => {
    if (!whole?.play.batch) return []
    const found = [
      ...strayOf({ whole, lines }, evidence),
      ...knownTo(whole).flatMap((id) => endOf(id, { whole, lines })),
    ]
    return found.map((message) => ({ rule: 'batch', play: whole.play.number, message }))
  })
}

const knownTo = ({ exchanges }: Case): string[] =>
  exchanges.flatMap(({ step, object }) => (step === 'make batch' && object ? [String(object['id'])] : []))

/** What must not be there, whatever the client was told. */
function strayOf({ whole: { play }, lines }: BatchCase, { files }: Evidence): string[] {
  const { twist } = play.batch!
  const found: string[] = []
  if (twist === 'cut_upload' && files.includes(inputName(play))) found.push('its upload was cut, and there is a file')
  const rows = lines.flatMap((line) => line.rows)
  const runsNothing = twist === 'cut_upload' || twist === 'bad_line' || twist === 'dry_run'
  if (runsNothing && rows.length > 0) found.push(`nothing of it may run, and there is ${rows[0]!.id}`)
  const paid = rows.filter(({ charged }) => charged !== null && charged > 0n)
  // The latest try of a line belongs to it; those before cost nothing. However often it was sent, there is one batch.
  const stray = paid.filter(({ batch }) => batch === null)
  const twice = [...Map.groupBy(paid, ({ line }) => line)].filter(([, { length }]) => length > 1)
  return [
    ...found,
    ...stray.map(({ id, line }) => `${id} was charged, and line ${line} was not ended by it`),
    ...twice.map(([line, { length }]) => `line ${line} was charged ${length} times`),
  ]
}

const endsOf = {
  none: ['completed'],
  cancel: ['cancelled'],
  max_credits: ['completed'],
  dry_run: ['completed'],
  bad_line: ['failed'],
  cut_upload: [],
} as const

function endOf(id: string, of: BatchCase): string[] {
  const { play, exchanges } = of.whole
  const { twist, lines, badLine } = play.batch!
  const read = exchanges.findLast(({ step, path }) => step.startsWith('read batch') && path.endsWith(id))
  const batch = read?.object
  if (!batch) return [`${id} is answered with ${read?.status} ${read?.error?.code ?? read?.end}`]

  // Only one that was heard to be cancelled has to be.
  const isCancelled = exchanges.some(
    ({ step, object }) => step === 'cancel batch' && object?.['status'] === 'cancelling',
  )
  const ends: readonly string[] = twist === 'cancel' && !isCancelled ? ['completed', 'cancelled'] : endsOf[twist]
  const status = String(batch['status'])
  if (!ends.includes(status)) return [`${id} is ${status}`]
  if (batch['credits_reserved'] !== 0)
    return [`${id} is ${status}, and has reserved ${String(batch['credits_reserved'])}`]
  switch (twist) {
    case 'bad_line':
      return tellsOf(batch, badLine) ? [] : [`${id} does not tell of its bad line ${badLine}`]
    case 'dry_run':
      return isEstimate(batch, lines.length) ? [] : [`${id} has no estimate of ${lines.length} lines that cost nothing`]
    default:
      return checkResults(batch, of)
  }
}

type Json = Record<string, unknown>

const tellsOf = ({ errors }: Json, badLine: number): boolean =>
  (errors as { data: { line?: number }[] } | undefined)?.data.some(({ line }) => line === badLine) ?? false

function isEstimate(batch: Json, lines: number): boolean {
  const { max_credits_consumed: most = 0 } = (batch['estimate'] ?? {}) as { max_credits_consumed?: number }
  return most > 0 && batch['credits_consumed'] === 0 && (batch['request_counts'] as { total: number }).total === lines
}
