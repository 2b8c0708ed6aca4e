import { type Price, type Usage, batchPriceOf, chargeFor } from '@weir/contracts'
import type { Production } from '../model/model-server.ts'
import { attemptOf, textOf } from '../model/words.ts'
import { PRICE } from '../place/settings.ts'
import type { Case, Violation } from './evidence.ts'
import type { Row } from './read-rows.ts'

const picocredits = (per: number): bigint => BigInt((per / PRICE.per) * 1e12)
const price: Price = {
  input: picocredits(PRICE.input),
  cachedInput: picocredits(PRICE.input),
  output: picocredits(PRICE.output),
  batchDiscount: PRICE.batch_discount,
}

/** Each completion was charged what the published table says for what the model made of it, in one entry, or nothing. */
export function checkCharges(one: Case): Violation[] {
  return one.rows.flatMap((row) => {
    const why = [booked(row), owed(row), produced(one, row)].filter((each) => each !== undefined)
    return why.map((message) => ({ rule: 'wrong-charge', play: row.play, completionId: row.id, message }))
  })
}

/** Row, reservation and entries say the same. */
function booked({ state, charged, captured, chargeEntries, chargedByEntries }: Row): string | undefined {
  // What has not ended is told of elsewhere.
  if (charged === null) return chargeEntries > 0 ? `${state}, and charged ${chargedByEntries}` : undefined
  if (charged === captured && charged === chargedByEntries && chargeEntries === (charged > 0n ? 1 : 0)) return undefined
  return `it says ${charged}, its reservation ${captured}, and ${chargeEntries} entries come to ${chargedByEntries}`
}

/** By the table, for the usage that its row tells. */
function owed({ line, state, input, output, usageSource, charged }: Row): string | undefined {
  if (charged === null) return undefined
  // Of a batch that was cancelled what had not ended is free.
  const stopper = line === null ? 'client' : 'us'
  const endedBy = state === 'completed' ? 'backend' : state === 'cancelled' ? stopper : 'us'
  const source = usageSource === 'estimated' ? 'estimated' : 'reported'
  const usage: Usage = { inputTokens: input, cachedInputTokens: 0, outputTokens: output, source }
  const due = chargeFor(line === null ? price : batchPriceOf(price), { endedBy, delivered: output > 0, usage })
  return charged === due
    ? undefined
    : `${state} with ${input} + ${output} tokens is ${due}, and it was charged ${charged}`
}

/** The usage is what the model made in the attempt that counts. */
function produced({ play, exchanges, productions }: Case, row: Row): string | undefined {
  const { state, input, output, usageSource } = row
  if (input + output === 0) return state === 'completed' ? 'completed, and nothing was used' : undefined
  if (usageSource === 'reported') {
    const production = productions.find(({ attempt }) => attempt === attemptOf(input))
    if (!production) return `the model never reported ${input} input tokens`
    if (production.end !== 'finished') return `attempt ${production.attempt} counts, which the model did not finish`
    return production.words === output
      ? undefined
      : `attempt ${production.attempt} made ${production.words} tokens, not ${output}`
  }

  const candidates = productions.filter(({ end }) => state !== 'completed' || end === 'finished')
  const most = Math.max(0, ...candidates.map((each) => charactersOf(play.script, each)))
  const seen = Math.max(
    0,
    ...exchanges.filter(({ completionId }) => completionId === row.id).map(({ text }) => wordsIn(text)),
  )
  if (output > most) return `${output} tokens were counted in ${most} characters`
  return output < seen ? `${output} tokens were counted where the client saw ${seen} words` : undefined
}

/** No tokenizer finds more tokens than characters here. */
const charactersOf = (script: Case['play']['script'], { attempt, words }: Production): number =>
  textOf(script, attempt, words).length

const wordsIn = (text: string): number => (text === '' ? 0 : text.trimEnd().split(' ').length)
