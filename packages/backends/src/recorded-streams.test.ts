import type { RequestListener } from 'node:http'
import { expect, test } from 'vitest'
import type { Chunk } from '@weir/contracts'
import { recording } from './testing/recording.ts'
import { collect, never, requestOf, target } from './testing/requests.ts'
import { anthropicFixture, upstreamFixture } from './testing/upstream.ts'

const playing =
  (name: string): RequestListener =>
  (_request, response) =>
    void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(recording(name))

async function answerOf(fixture: typeof upstreamFixture | typeof anthropicFixture, name: string, choices?: number) {
  await using backend = await fixture(playing(name))
  const { chunks, error } = await collect(backend.stream(requestOf(choices ? { choices } : {}), target, never()))
  expect(error).toBeUndefined()
  return chunks
}

const text = (text: string, choice = 0): Chunk => ({ type: 'text', choice, text })
const reasoning = (text: string): Chunk => ({ type: 'reasoning', choice: 0, text })
const finish = (reason: Extract<Chunk, { type: 'finish' }>['reason'], choice = 0): Chunk => ({
  type: 'finish',
  choice,
  reason,
})
const call = (call: number, id: string, name: string): Chunk => ({
  type: 'tool_call',
  choice: 0,
  call,
  id,
  kind: 'function',
  name,
})
const args = (call: number, text: string): Chunk => ({ type: 'arguments', choice: 0, call, text })
const used = (usage: object) => ({ type: 'usage', usage: { cachedInputTokens: 0, source: 'reported', ...usage } })
const usedSoFar = (usage: object) => ({ ...used({ ...usage, outputTokens: 0 }), soFar: true })

test('two tool calls of OpenAI arrive each with its arguments', async () => {
  expect(await answerOf(upstreamFixture, 'openai-tools')).toEqual([
    call(0, 'call_w1', 'weather'),
    args(0, '{"city":'),
    args(0, '"Zürich"}'),
    call(1, 'call_w2', 'weather'),
    args(1, '{"city":"東京"}'),
    finish('tool_calls'),
    used({ inputTokens: 67, cachedInputTokens: 1024, outputTokens: 48 }),
  ])
})

test('the reasoning of a vLLM, which tells it under two names, arrives once and before the text', async () => {
  expect(await answerOf(upstreamFixture, 'vllm-reasoning')).toEqual([
    reasoning('Rivers carry'),
    reasoning(' silt.'),
    text('They erode 🏞️.'),
    finish('stop'),
    used({ inputTokens: 16, outputTokens: 10, reasoningTokens: 20 }),
  ])
})

test('an OpenRouter that comments while it waits, and tells usage in a choice, is understood', async () => {
  expect(await answerOf(upstreamFixture, 'openrouter-comments')).toEqual([
    reasoning('Hm.'),
    text('They meander.'),
    finish('stop'),
    used({ inputTokens: 9, outputTokens: 5, reasoningTokens: 2 }),
  ])
})

test('a refusal arrives as one', async () => {
  expect(await answerOf(upstreamFixture, 'openai-refusal')).toEqual([
    { type: 'refusal', choice: 0, text: "I'm sorry," },
    { type: 'refusal', choice: 0, text: " I can't help with that." },
    finish('stop'),
    used({ inputTokens: 83, outputTokens: 12 }),
  ])
})

test('two choices arrive side by side, each with the probabilities of its tokens', async () => {
  const water = { token: 'Water', logprob: -0.25, bytes: [87, 97, 116, 101, 114] }
  const silt = { token: 'Silt', logprob: -1.5, bytes: [83, 105, 108, 116] }

  expect(await answerOf(upstreamFixture, 'openai-choices', 2)).toEqual([
    { ...text('Water'), logprobs: [{ ...water, top: [water, silt] }] },
    finish('length'),
    { ...text('Silt', 1), logprobs: [{ ...silt, top: [] }] },
    finish('length', 1),
    used({ inputTokens: 12, outputTokens: 2 }),
  ])
})

test('thinking, its signature, what only Anthropic can read, text and tools arrive in their order', async () => {
  expect(await answerOf(anthropicFixture, 'anthropic-thinking')).toEqual([
    usedSoFar({ inputTokens: 25, cachedInputTokens: 1000, cacheWriteTokens: 300 }),
    reasoning('The user asks for'),
    reasoning(' the weather in Zürich.'),
    { type: 'signature', choice: 0, text: 'EqQBCgIYAhIM1gbcDa9GJwZA2b3h' },
    { type: 'redacted_reasoning', choice: 0, data: 'EmwKAhgBEgy3va3pzix' },
    text('Let me look ☀️.'),
    call(0, 'toolu_01', 'weather'),
    args(0, '{"city": "Zü'),
    args(0, 'rich"}'),
    call(1, 'toolu_02', 'clock'),
    args(1, '{}'),
    finish('tool_calls'),
    used({ inputTokens: 25, cachedInputTokens: 1000, cacheWriteTokens: 300, outputTokens: 58, reasoningTokens: 31 }),
  ])
})

test('the stop sequence that ended an answer is told', async () => {
  expect(await answerOf(anthropicFixture, 'anthropic-stop-sequence')).toEqual([
    usedSoFar({ inputTokens: 10 }),
    text('Once upon'),
    { ...finish('stop'), stopSequence: 'END' },
    used({ inputTokens: 10, outputTokens: 4 }),
  ])
})
