import { type Case, isWhole, type Violation } from './evidence.ts'

/** One key is one completion: charged once at most, and every whole answer is the same. */
export function checkKeyed({ play, exchanges, rows }: Case): Violation[] {
  if (play.kind !== 'keyed') return []
  const of = { play: play.number, completionId: rows[0]?.id }
  const charged = rows.filter(({ charged }) => charged !== null && charged > 0n)
  const whole = exchanges.filter(isWhole)
  const ids = new Set(whole.map(({ completionId }) => completionId))
  const texts = new Set(whole.map(({ text }) => text))

  const found: string[] = []
  if (charged.length > 1)
    found.push(`one key was charged ${charged.length} times: ${charged.map(({ id }) => id).join(', ')}`)
  if (ids.size > 1) found.push(`one key was answered by ${[...ids].join(' and ')}`)
  if (texts.size > 1) found.push('two whole answers to one key differ')
  const again = exchanges.find(({ step, end }) => step === 'again' && end === 'answered')
  if (again && again.headers['idempotent-replayed'] !== 'true') found.push('an answer from before did not say so')
  return found.map((message) => ({ ...of, rule: 'key-not-one', message }))
}
