import type { Exchange, Told } from '../history.ts'
import { attemptOf } from '../model/words.ts'
import { type Case, type Evidence, isWhole, type Violation } from './evidence.ts'
import { judgeText } from './judge-text.ts'
import type { Row } from './read-rows.ts'

/** Errors that leave the completion to go on, or that say that the client ended it: it may cost something. */
const mayCost = ({ code, message }: Told): boolean =>
  ['cancelled', 'deadline_exceeded', 'wait_exceeded', 'stream_expired'].includes(code) || message.includes('goes on')

const losesRedis: ReadonlySet<string> = new Set(['flush-redis', 'kill-redis'])

/** What a client was told is what the books say: a whole answer is completed and paid for, an error costs nothing. */
export function checkPromises({ play, exchanges, productions, rows }: Case, { inflicted }: Evidence): Violation[] {
  return exchanges.flatMap((exchange) => {
    const row = rowOf(exchange, rows)
    const why = isWhole(exchange) ? wholeOf(exchange, row) : errorOf(exchange)
    return why
      ? [{ rule: 'broken-promise', play: play.number, completionId: row?.id, message: `${exchange.step}: ${why}` }]
      : []
  })

  function wholeOf(exchange: Exchange, row: Row | undefined): string | undefined {
    // Refused, and begun all the same by a Redis that was thought away: its answer is a gift.
    const isRefused = exchanges.some(({ step, status = 0 }) => step === 'create' && status >= 500)
    if (isRefused && row?.charged === 0n) return undefined
    if (!row || row.state !== 'completed') return `a whole answer, and the row says ${row?.state}`
    const told = exchange.usage?.credits
    if (told !== undefined && BigInt(Math.round(told * 1e6)) !== row.charged)
      return `it was told to cost ${told} credits, and was charged ${row.charged} microcredits`
    const judgement = judgeText(exchange.text, play.script, productions)
    if (row.usageSource !== 'reported' || judgement.kind !== 'words') return undefined
    const charged = attemptOf(row.input)
    if (judgement.attempt === charged || lostRedisDuring(exchange)) return undefined
    return `attempt ${judgement.attempt} was heard, and ${charged} charged`
  }

  /** Then the decision of an attempt may be lost, settled all the same, and its answer made again. */
  function lostRedisDuring({ startedAt, endedAt }: Exchange): boolean {
    return inflicted.some(({ kind, beganAt }) => losesRedis.has(kind) && beganAt >= startedAt && beganAt <= endedAt)
  }

  function errorOf(exchange: Exchange): string | undefined {
    // A keyed call is asked again, and what was refused at first is paid for in the end.
    if (!exchange.error || play.kind === 'keyed' || exchange.step !== 'create') return undefined
    if (mayCost(exchange.error)) return undefined
    const costly = rows.find(({ charged }) => charged !== null && charged > 0n)
    return costly && `the client was told ${exchange.error.code}, and ${costly.charged} was charged`
  }
}

function rowOf({ completionId, error }: Exchange, rows: readonly Row[]): Row | undefined {
  const id = completionId ?? error?.completionId
  return id === undefined ? rows[0] : rows.find((row) => row.id === id)
}
