import { createHash } from 'node:crypto'
import type { ChoiceChunk, CompletionRequest, FinishReason, Target, Tool, Usage } from '@weir/contracts'
import { targetName } from './backend.ts'
import type { CacheUse } from './simulated-cache.ts'
import { calledTools } from './simulated-calls.ts'
import { createDice, type Dice } from './simulated-dice.ts'
import { jsonFor } from './simulated-json.ts'
import { logprobsOf } from './simulated-logprobs.ts'
import { lastAsked, noteOfMedia, noteOfResults } from './simulated-prompt.ts'
import { reasoningTokensOf, signatureOf } from './simulated-reasoning.ts'
import { piecesOf, upToStop, WORDS } from './simulated-text.ts'
import { inputTokensOf } from './simulated-usage.ts'

/** An answer made up in advance: one token is one word with the space before it, or as little of JSON. */
export type SimulatedAnswer = { chunks: Iterable<ChoiceChunk>; usage: Usage }

type Asked = { request: CompletionRequest; target: Target; outputTokens: number }
/** What one choice says. `tokens` are counted as output, those of reasoning apart. */
type Choice = { chunks: ChoiceChunk[]; outputTokens: number; reasoningTokens: number }

/** A message of these letters alone is refused, so that clients can be seen to deal with it. */
const REFUSED = 'REFUSE'
const REFUSAL = ['I', ' am', ' simulated,', ' and', ' I', ' refuse.']

/** However long a request allows an answer to become, all its choices together have no more tokens. */
const MOST_TOKENS = 131_072

/** The same request gets the same answer. A text begins by saying that it is simulated, and by whom. */
export function simulatedAnswerOf(asked: Asked, cached?: CacheUse): SimulatedAnswer {
  const { request } = asked
  const count = request.choices ?? 1
  const seed = seedOf(request)
  const limit = Math.min(request.maxOutputTokens, Math.ceil(MOST_TOKENS / count))
  const choices: Choice[] = []
  for (let index = 0; index < count; index += 1) choices.push(choiceOf(asked, index, seed + index, limit))

  const inputTokens = inputTokensOf(request)
  const { cachedInputTokens, cacheWriteTokens } = cached ?? { cachedInputTokens: 0, cacheWriteTokens: 0 }
  const reasoningTokens = choices.reduce((sum, choice) => sum + choice.reasoningTokens, 0)
  return {
    chunks: count === 1 ? choices[0]!.chunks : inTurn(choices),
    usage: {
      inputTokens: Math.max(0, inputTokens - cachedInputTokens - cacheWriteTokens),
      cachedInputTokens,
      ...(cacheWriteTokens > 0 && { cacheWriteTokens }),
      outputTokens: choices.reduce((sum, choice) => sum + choice.outputTokens, 0),
      ...(reasoningTokens > 0 && { reasoningTokens }),
      source: 'reported',
    },
  }
}

function seedOf({ messages, seed }: CompletionRequest): number {
  return createHash('sha256')
    .update(JSON.stringify([messages, seed]))
    .digest()
    .readUInt32LE()
}

/** A chunk of each choice after another, as models send them that write all at once. */
function* inTurn(choices: readonly Choice[]): Generator<ChoiceChunk> {
  const longest = Math.max(...choices.map(({ chunks }) => chunks.length))
  for (let at = 0; at < longest; at += 1) {
    for (const { chunks } of choices) if (at < chunks.length) yield chunks[at]!
  }
}

function choiceOf(asked: Asked, choice: number, seed: number, limit: number): Choice {
  const chunks: ChoiceChunk[] = []
  const dice = createDice(seed)
  const reasoningTokens = think(asked, choice, dice, limit, chunks)
  const left = limit - reasoningTokens
  const before = chunks.length
  const end = left > 0 || reasoningTokens === 0 ? say(asked, choice, seed, left, chunks) : cut
  chunks.push({ type: 'finish', choice, reason: end.reason, ...stopped(end.stopSequence) })
  return { chunks, outputTokens: chunks.length - before - 1, reasoningTokens }
}

type End = { reason: FinishReason; stopSequence?: string | undefined }
const cut: End = { reason: 'length' }
const stopped = (stopSequence: string | undefined) => (stopSequence === undefined ? {} : { stopSequence })

/** Reasoning, where it is wanted, and the signature it comes back with; the tokens it took. */
function think({ request }: Asked, choice: number, dice: Dice, limit: number, chunks: ChoiceChunk[]): number {
  const tokens = Math.min(reasoningTokensOf(request), limit)
  if (tokens === 0) return 0
  const thought = ['Simulated', ' reasoning:']
  while (thought.length < tokens) thought.push(` ${WORDS[dice(WORDS.length)]}`)
  // Who asks for it to be left out still gets the signature, which stands for it.
  const isShown = request.reasoning?.display !== 'omitted'
  if (isShown) for (const text of thought.slice(0, tokens)) chunks.push({ type: 'reasoning', choice, text })
  chunks.push({ type: 'signature', choice, text: signatureOf(thought.join('')) })
  return tokens
}

/** What is said to the client: a refusal, calls of tools, JSON or text. */
function say(asked: Asked, choice: number, seed: number, limit: number, chunks: ChoiceChunk[]): End {
  const { request } = asked
  if (lastAsked(request.messages).trim() === REFUSED) {
    for (const text of REFUSAL.slice(0, limit)) chunks.push({ type: 'refusal', choice, text })
    return limit < REFUSAL.length ? cut : { reason: 'stop' }
  }
  const tools = calledTools(request)
  return tools.length > 0 ? callTools(tools, choice, seed, limit, chunks) : write(asked, choice, seed, limit, chunks)
}

function callTools(tools: Tool[], choice: number, seed: number, limit: number, chunks: ChoiceChunk[]): End {
  const most = chunks.length + limit
  for (const [call, { kind, name, parameters }] of tools.entries()) {
    const callSeed = seed + 7_919 * call
    const dice = createDice(callSeed)
    const given =
      kind === 'custom' ? piecesOf(`simulated input of ${name}`) : jsonFor(parameters ?? NO_ARGUMENTS, dice, WORDS)
    if (chunks.length >= most) return cut
    chunks.push({ type: 'tool_call', choice, call, id: callIdOf(callSeed, name), kind, name })
    for (const text of given) {
      if (chunks.length >= most) return cut
      chunks.push({ type: 'arguments', choice, call, text })
    }
  }
  return { reason: 'tool_calls' }
}

const NO_ARGUMENTS = { type: 'object', additionalProperties: false }

const callIdOf = (seed: number, name: string): string =>
  `call_${createHash('sha256').update(`${seed} ${name}`).digest('hex').slice(0, 24)}`

function write(asked: Asked, choice: number, seed: number, limit: number, chunks: ChoiceChunk[]): End {
  const { stop = [], responseFormat, logprobs } = asked.request
  const written = responseFormat ? jsonTokens(asked, seed, limit + 1) : textTokens(asked, seed, limit + 1)
  const isCut = written.length > limit
  if (isCut) written.length = limit
  const { tokens, stopSequence } = upToStop(written, stop)
  const dice = logprobs && createDice(seed)
  for (const text of tokens) {
    chunks.push(
      dice
        ? { type: 'text', choice, text, logprobs: logprobsOf(text, logprobs.top, WORDS, dice) }
        : { type: 'text', choice, text },
    )
  }
  return stopSequence === undefined && isCut ? cut : { reason: 'stop', stopSequence }
}

function jsonTokens({ request: { responseFormat } }: Asked, seed: number, most: number): string[] {
  const schema = responseFormat?.type === 'json_schema' ? responseFormat.schema : undefined
  return [...jsonFor(schema, createDice(seed), WORDS).take(most)]
}

/** As many words as the backend is set to say, and no fewer than what there is to tell. */
function textTokens({ request, target, outputTokens }: Asked, seed: number, most: number): string[] {
  const tokens = ['Simulated', ' answer', ' from', ` ${targetName(target)}:`]
  const notes = [noteOfMedia(request.messages), noteOfResults(request.messages)]
  for (const note of notes) if (note !== '') tokens.push(...piecesOf(` ${note}`).take(most))
  const length = Math.min(Math.max(tokens.length, outputTokens), most)
  for (let i = tokens.length; i < length; i += 1) tokens.push(` ${WORDS[(seed + i) % WORDS.length]}`)
  return tokens.slice(0, Math.min(length, most))
}
