import type { Dice } from './simulated-dice.ts'

/** Words for answers that mean nothing. */
export const WORDS: readonly string[] =
  `a river weir holds back the water and lets it pass over the sill in an even sheet so that mills and fields
  below never see flood nor drought while boats wait in the lock for the gates to open`.split(/\s+/)

/** A text in pieces of about a token each, none of which cuts a character in two. */
export function* piecesOf(text: string): Generator<string> {
  for (const [piece] of text.matchAll(/\s?[^\s]{1,12}|\s/gu)) yield piece
}

/** A string of a format that many schemas ask for. */
export function formatted(format: string | undefined, dice: Dice): string | undefined {
  const digit = () => dice(10)
  switch (format) {
    case 'date-time':
      return `2026-01-0${1 + dice(9)}T12:00:00Z`
    case 'date':
      return `2026-01-0${1 + dice(9)}`
    case 'time':
      return '12:00:00Z'
    case 'duration':
      return `PT${1 + dice(9)}H`
    case 'email':
      return `simulated${digit()}@example.com`
    case 'hostname':
      return `host${digit()}.example.com`
    case 'ipv4':
      return `192.0.2.${1 + dice(9)}`
    case 'ipv6':
      return `2001:db8::${1 + dice(9)}`
    case 'uri':
    case 'uri-reference':
    case 'url':
      return `https://example.com/${digit()}`
    case 'uuid':
      return `00000000-0000-4000-8000-00000000000${digit()}`
    default:
      return undefined
  }
}

/** The tokens before the first stop sequence, the last one cut where it begins, and which one it was. */
export function upToStop(
  tokens: string[],
  stop: readonly string[],
): { tokens: string[]; stopSequence: string | undefined } {
  if (stop.length === 0) return { tokens, stopSequence: undefined }
  const text = tokens.join('')
  let left = Infinity
  let stopSequence: string | undefined
  for (const sequence of stop) {
    const at = sequence === '' ? -1 : text.indexOf(sequence)
    if (at < 0 || at >= left) continue
    left = at
    stopSequence = sequence
  }
  if (stopSequence === undefined) return { tokens, stopSequence }

  const kept: string[] = []
  for (const token of tokens) {
    if (left <= 0) break
    kept.push(token.slice(0, left))
    left -= token.length
  }
  return { tokens: kept, stopSequence }
}

/** Counted where they stand: a list of the words of a long prompt would take many times its room. */
export function countWords(text: string): number {
  let words = 0
  let wasSpace = true
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    const isSpace = code <= 0x20 || code === 0xa0 || code === 0x2028 || code === 0x3000
    if (wasSpace && !isSpace) words += 1
    wasSpace = isSpace
  }
  return words
}
