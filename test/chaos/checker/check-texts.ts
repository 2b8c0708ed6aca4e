import type { Exchange } from '../history.ts'
import { type Case, isWhole, type Violation } from './evidence.ts'
import { judgeText } from './judge-text.ts'

/** No answer has a hole, a repeated or a foreign word, and whatever looks complete is. */
export function checkTexts({ play, exchanges, productions }: Case): Violation[] {
  const found: Violation[] = []
  const violation = (exchange: Exchange, rule: string, message: string) => {
    const { step, completionId } = exchange
    found.push({ rule, play: play.number, completionId, message: `${step}: ${message}` })
  }

  for (const { last, text, eventIds } of readingsOf(exchanges)) {
    const judgement = judgeText(text, play.script, productions)
    if (judgement.kind === 'wrong') violation(last, 'wrong-text', judgement.why)
    const isAllThere = judgement.kind === 'words' && judgement.isWhole
    if (looksComplete(last) && judgement.kind !== 'wrong' && !isAllThere)
      violation(last, 'truncated', `it looks complete with ${describe(judgement)}`)
    if (isWhole(last) && last.finishReason === undefined) violation(last, 'truncated', '[DONE] without a finish reason')
    if (last.end === 'ended_mute') violation(last, 'ended-mute', 'the stream ended without [DONE] and without an error')
    const numbering = numberingOf(eventIds)
    if (numbering) violation(last, 'wrong-event-ids', numbering)
  }
  for (const exchange of exchanges) {
    if (exchange.error?.code === 'unreadable') violation(exchange, 'unreadable', exchange.error.message)
    if (isUndesigned(exchange)) violation(exchange, 'undesigned', `${exchange.error!.message} (${exchange.end})`)
  }
  return found
}

/** A dependency that is away has an answer of its own; this one means that nobody thought of it. */
const isUndesigned = ({ error }: Exchange): boolean =>
  error?.code === 'internal' && error.message.startsWith('Something went wrong')

type Reading = { last: Exchange; text: string; eventIds: Exchange['eventIds'] }

/** What was read in one go; a stream that was resumed counts as one. */
function readingsOf(exchanges: readonly Exchange[]): Reading[] {
  const isResumed = exchanges.some(({ step }) => step === 'resume')
  const isPart = ({ step }: Exchange) => isResumed && (step === 'create' || step === 'resume')
  const others = exchanges.filter((exchange) => !isPart(exchange))
  const readings = others.map((last) => ({ last, text: last.text, eventIds: numberedIds(last) }))
  const parts = exchanges.filter(isPart)
  const last = parts.at(-1)
  if (!last) return readings
  const finishReason = parts.findLast((part) => part.finishReason)?.finishReason
  const text = parts.map((part) => part.text).join('')
  return [...readings, { last: { ...last, finishReason }, text, eventIds: parts.flatMap(numberedIds) }]
}

/** An error that a replica adds for itself, and not the stream, has no number. */
const numberedIds = ({ error, eventIds }: Exchange): Exchange['eventIds'] =>
  error && eventIds.at(-1) === undefined ? eventIds.slice(0, -1) : eventIds

const looksComplete = (exchange: Exchange): boolean => isWhole(exchange) || exchange.finishReason !== undefined

/** Where Redis has lost a stream of which nobody has seen anything, it begins anew with numbers of another million. */
const MILLION = 1_000_000

function numberingOf(eventIds: Exchange['eventIds']): string | undefined {
  const first = eventIds[0]
  const base = first === undefined ? 0 : first - (first % MILLION)
  const wrong = eventIds.findIndex((id, i) => id !== base + i + 1)
  if (wrong < 0) return undefined
  return `event ${wrong + 1} of ${eventIds.length} has the id ${eventIds[wrong]}, and the first has ${first}`
}

const describe = (judgement: ReturnType<typeof judgeText>): string =>
  judgement.kind === 'words' ? `${judgement.words} words of attempt ${judgement.attempt}` : 'no words'
