import type { Production } from '../model/model-server.ts'
import { type Script, textOf } from '../model/words.ts'

/** What an answer's text is: the first words of one attempt, maybe all of them; or else why it cannot be. */
export type Judgement =
  | { kind: 'nothing' }
  | { kind: 'words'; attempt: number; words: number; isWhole: boolean }
  | { kind: 'wrong'; why: string }

/** Compares what a client read with what the model said to the same prompt. */
export function judgeText(text: string, script: Script, productions: readonly Production[]): Judgement {
  if (text === '') return { kind: 'nothing' }
  const words = text.trimEnd().split(' ')
  const first = words[0]!.split('.')
  if (first[0] !== script.token)
    return { kind: 'wrong', why: `it begins with a word of another prompt: ${short(words[0]!)}` }

  const attempt = Number(first[1])
  const production = productions.find((each) => each.attempt === attempt)
  if (!production) return { kind: 'wrong', why: `the model made no attempt ${first[1]}` }
  if (text !== textOf(script, attempt, words.length))
    return { kind: 'wrong', why: whereItBreaks(words, script.token, attempt) }
  if (words.length > production.words) return { kind: 'wrong', why: `the model only said ${production.words} words` }
  const isWhole = production.end === 'finished' && words.length === production.words
  return { kind: 'words', attempt, words: words.length, isWhole }
}

function whereItBreaks(words: readonly string[], token: string, attempt: number): string {
  for (const [i, word] of words.entries()) {
    const [of, from, n] = word.split('.')
    const place = `word ${i + 1} of ${words.length} is ${short(word)}`
    if (of !== token) return `${place}, a word of another prompt`
    if (Number(from) !== attempt) return `${place}, of another attempt than the first one`
    if (Number(n) > i + 1) return `${place}: a hole`
    if (Number(n) < i + 1) return `${place}: repeated`
  }
  return `it is not what the model said: ${short(words.at(-1)!)}`
}

const short = (word: string): string => (word.length > 40 ? `${word.slice(0, 40)}…` : word)
