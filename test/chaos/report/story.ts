import type { Evidence, Violation } from '../checker/evidence.ts'
import type { Exchange } from '../history.ts'

/** Of each rule; the rest is counted. */
const MOST_STORIES = 4

/** Each violation with everything that is known about its completion, in the order in which it happened. */
export function renderViolations(evidence: Evidence, violations: readonly Violation[]): string {
  const byRule = [...Map.groupBy(violations, ({ rule }) => rule).values()]
  const told = byRule
    .flatMap((each) => each.slice(0, MOST_STORIES))
    .map((violation) => {
      const { rule, message, play, completionId } = violation
      const head = `✗ ${rule}: ${message}\n  play ${play ?? '-'}, completion ${completionId ?? '-'}`
      return play === undefined ? head : `${head}\n${storyOf(evidence, play, completionId)}`
    })
  const rest = violations.length - told.length
  return [...told, ...(rest > 0 ? [`… and ${rest} more`] : [])].join('\n\n')
}

function storyOf({ history, productions, rows, inflicted }: Evidence, number: number, id: string | undefined): string {
  const play = history.plays.find((each) => each.number === number)
  if (!play) return '  nobody played it'
  const exchanges = history.exchanges.filter((each) => each.play === number)
  const own = rows.filter(({ play }) => play === number)
  // Of a batch the line in question, or else what did not go well.
  const line = own.find((row) => row.id === id)?.line
  const meant = own.filter((row) => row.line === null || (line ? row.line === line : row.state !== 'completed'))
  const made = productions.filter(({ token }) => token === (line ?? play.script.token))
  const from = Math.min(...exchanges.map(({ startedAt }) => startedAt))
  // When all is quiet it may be read once more; what failed until then had nothing to do with it.
  const lived = exchanges.filter(({ step }) => !step.startsWith('read back'))
  const to = Math.max(...lived.map(({ endedAt }) => endedAt), ...made.map(({ endedAt }) => endedAt ?? 0))

  const lines = [
    ...exchanges.map((each) => ({ at: each.startedAt, text: describe(each) })),
    ...made.map(({ attempt, words, end, startedAt, endedAt }) => ({
      at: startedAt,
      text: `model, attempt ${attempt}: ${words} of ${play.script.words} words, ${end} at ${endedAt}`,
    })),
    ...inflicted
      .filter(({ beganAt, endedAt }) => beganAt <= to + 1_000 && (endedAt ?? Infinity) >= from - 1_000)
      .map(({ beganAt, endedAt, kind, target }) => ({
        at: beganAt,
        text: `fault: ${kind} ${target}, over at ${endedAt}`,
      })),
  ]
  lines.sort((a, b) => a.at - b.at)
  const booked = meant.map(
    (row) =>
      `  row ${row.id}: ${row.state} ${row.errorCode ?? ''}, ${row.input} + ${row.output} tokens ${row.usageSource ?? ''}, charged ${row.charged}, attempts ${row.attempts}, ${row.createdAt.toISOString()} to ${row.endedAt?.toISOString()}`,
  )
  const { kind, stream, account } = play
  return [
    `  ${kind}${stream ? ', streamed' : ''}, account ${account}, ${JSON.stringify({ ...play.script, filler: play.script.filler })}`,
    ...lines.map(({ at, text }) => `  ${String(at).padStart(7)} ${text}`),
    ...booked,
  ].join('\n')
}

function describe(exchange: Exchange): string {
  const { step, method, path, replica, endedAt, end, status, error, text, eventIds, finishReason, completionId } =
    exchange
  const words = text === '' ? 0 : text.trimEnd().split(' ').length
  const what = [
    `client, ${step}: ${method} ${path} at api-${replica} until ${endedAt}: ${end}`,
    status && `status ${status}`,
    completionId,
    exchange.completionStatus,
    words > 0 && `${words} words`,
    eventIds.length > 0 && `events ${eventIds[0] ?? '?'}–${eventIds.at(-1) ?? '?'}`,
    finishReason && `finish ${finishReason}`,
    error && `${error.code}: ${error.message}`,
  ]
  return what.filter(Boolean).join(', ')
}
