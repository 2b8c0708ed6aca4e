import type { Evidence, Violation } from '../checker/evidence.ts'

/** What happened, counted: requests by kind and end, completions by state, faults by kind, and what processes complained of. */
export function renderCounts(evidence: Evidence, violations: readonly Violation[]): string {
  const { history, rows, productions, inflicted, lives } = evidence
  const kindOf = new Map(history.plays.map(({ number, kind }) => [number, kind]))
  const wholeTexts = history.exchanges.map(({ play, step, end, status, error }) => {
    const how = error ? `${end} ${error.code}` : end === 'answered' && status !== 200 ? `answered ${status}` : `${end}`
    return `${kindOf.get(play)}${step === 'create' ? '' : ` (${step})`} · ${how}`
  })
  const messages = lives.flatMap(({ name, messages }) =>
    [...messages].flatMap(([text, count]) => Array<string>(count).fill(`${name.split('-')[0]}: ${text}`)),
  )
  return [
    table('clients: what was asked, and how it ended', wholeTexts),
    table(
      'completions',
      rows.map(({ state, errorCode, charged }) => `${state} ${errorCode ?? ''} ${charged ? 'charged' : 'free'}`),
    ),
    table(
      'model',
      productions.map(({ end }) => end),
    ),
    table(
      'faults',
      inflicted.map(({ kind }) => kind),
    ),
    table(
      'processes that ended',
      lives.filter(({ ended }) => ended).map(({ name, ended }) => `${name.split('-')[0]} ${ended}`),
    ),
    table('log lines', messages),
    errorsOf(evidence),
    table(
      'violations',
      violations.map(({ rule }) => rule),
    ),
  ].join('\n')
}

function table(title: string, items: readonly string[]): string {
  const counts = [...Map.groupBy(items, (item) => item)].map(([item, { length }]) => ({ item, length }))
  counts.sort((a, b) => b.length - a.length || a.item.localeCompare(b.item))
  const lines = counts.map(({ item, length }) => `${String(length).padStart(7)}  ${item}`)
  return `${title}: ${items.length}\n${lines.join('\n')}${lines.length > 0 ? '\n' : ''}`
}

/** One line of each kind of error that was logged: nobody has designed an answer to it. */
function errorsOf({ lives }: Evidence): string {
  const lines = new Map(lives.flatMap(({ errors }) => [...errors]))
  return `errors in the logs: ${lines.size}\n${[...lines.values()].map((line) => `  ${line}\n`).join('')}`
}
