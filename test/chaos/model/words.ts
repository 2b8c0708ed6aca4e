/** What a prompt asks of the model of this suite. It travels as the prompt's text, so the model needs to know nothing else. */
export type Script = {
  /** Unique to the call, and part of every word of its answer: a word that reaches another client is known by it. */
  token: string
  words: number
  firstMs: number
  everyMs: number
  /** How a whole answer ends: as the model meant it, at its cap, or without telling what was used. */
  end: 'stop' | 'length' | 'silent'
  /** How the first attempts at it fail, in turn: before a word, or in the middle. Later ones succeed. */
  fails: ('refuse' | 'cut')[]
  /** Characters that make each word longer, to fill the buffers on the way. */
  filler: number
}

/** All prompts have this length, so that their quotes differ by their output caps alone. */
const PROMPT_CHARACTERS = 240

export const promptOf = (script: Script): string => JSON.stringify(script).padEnd(PROMPT_CHARACTERS)

export const scriptOf = (prompt: string): Script => JSON.parse(prompt) as Script

/** The n-th word of an attempt at it, counted from 1: it says whose it is, of which attempt, and where it belongs. */
export function wordOf({ token, filler }: Script, attempt: number, n: number): string {
  return `${token}.${attempt}.${n}${filler > 0 ? `.${'x'.repeat(filler)}` : ''} `
}

/** The first words of an attempt, as one text. */
export function textOf(script: Script, attempt: number, words: number): string {
  let text = ''
  for (let n = 1; n <= words; n++) text += wordOf(script, attempt, n)
  return text
}

/**
 * Each attempt reports a prompt of its own size, so that a charge tells which attempt it is for. It stays below the number
 * of the prompt's characters: no model may claim more.
 */
export const promptTokensOf = (attempt: number): number => 100 + attempt
export const attemptOf = (promptTokens: number): number => promptTokens - 100
