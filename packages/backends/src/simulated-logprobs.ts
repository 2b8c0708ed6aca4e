import type { TokenLogprob } from '@weir/contracts'
import type { Dice } from './simulated-dice.ts'

/** How likely a token was, and what else might have stood there: made up, but of probabilities that sum to one at most. */
export function logprobsOf(token: string, top: number, words: readonly string[], dice: Dice): TokenLogprob[] {
  const probability = (50 + dice(49)) / 100
  const likely = { token, logprob: Math.log(probability), bytes: bytesOf(token) }
  const others: TokenLogprob['top'] = []
  let left = 1 - probability
  for (let at = dice(words.length); others.length < Math.min(top - 1, words.length); at += 1) {
    left /= 2
    const other = ` ${words[at % words.length]}`
    others.push({ token: other === token ? `${other}s` : other, logprob: Math.log(left), bytes: bytesOf(other) })
  }
  return [{ ...likely, top: top === 0 ? [] : [likely, ...others] }]
}

const bytesOf = (token: string): number[] => [...Buffer.from(token)]
