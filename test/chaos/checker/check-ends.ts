import type { Exchange } from '../history.ts'
import { type Case, casesOf, type Evidence, isWhole, type Violation } from './evidence.ts'
import type { Row } from './read-rows.ts'

const ends = ['completed', 'failed', 'cancelled', 'expired']

/** Whatever was accepted has a row, and every row has ended, once, together with its reservation. */
export function checkEnds(evidence: Evidence): Violation[] {
  const known = new Map(evidence.rows.map((row) => [row.id, row]))
  const plays = new Set(evidence.history.plays.map(({ number }) => number))
  const unasked = evidence.rows.filter(({ play }) => !plays.has(play))
  return [
    ...evidence.rows.flatMap(endOf),
    ...unasked.map(({ id, play }) => ({ rule: 'unasked', completionId: id, message: `nobody asked for it (${play})` })),
    ...evidence.history.exchanges.flatMap((exchange) => acceptedOf(exchange, known)),
    ...casesOf(evidence).flatMap(onceEach),
    ...evidence.unquiet.map((message) => ({ rule: 'never-quiet', message })),
  ]
}

function endOf(row: Row): Violation[] {
  const of = { completionId: row.id, play: row.play }
  if (!ends.includes(row.state)) return [{ ...of, rule: 'not-ended', message: `it is still ${row.state}` }]
  if (row.reservation === null || row.reservation === 'open')
    return [{ ...of, rule: 'open-reservation', message: `it has ended, and its reservation is ${row.reservation}` }]
  return []
}

/** Who was given an id, was promised an end. */
function acceptedOf({ play, step, status, completionId }: Exchange, known: Map<string, Row>): Violation[] {
  if (completionId === undefined || status === undefined || status >= 300) return []
  const row = known.get(completionId)
  const of = { completionId, play }
  if (!row) return [{ ...of, rule: 'lost', message: `${step}: it was accepted with status ${status} and has no row` }]
  if (row.play !== play) return [{ ...of, rule: 'foreign-id', message: `${step}: its row is of play ${row.play}` }]
  return []
}

/** A client that asks once is served once, whatever happens in between. */
function onceEach({ play, exchanges, rows }: Case): Violation[] {
  // Lines of batches are counted with their batches.
  if (play.kind === 'batch') return []
  const asked = exchanges.filter(({ method, path }) => method === 'POST' && path === '/v1/chat/completions').length
  const of = { play: play.number, completionId: rows[0]?.id }
  if (rows.length > asked) return [{ ...of, rule: 'multiplied', message: `${asked} requests made ${rows.length} rows` }]
  const created = exchanges.filter(({ step }) => step === 'create' || step === 'twin' || step === 'again')
  const answered = created.filter((exchange) => isWhole(exchange) && exchange.completionId === undefined)
  return answered.map(({ step }) => ({ ...of, rule: 'nameless', message: `${step}: a whole answer without an id` }))
}
