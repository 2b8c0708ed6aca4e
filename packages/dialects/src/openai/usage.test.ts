import { expect, test } from 'vitest'
import { renderUsage } from './answer.ts'
import { usageIn } from './event-reader.ts'
import { readUsage } from './usage.ts'

const reported = { source: 'reported' as const }

// Usage as these servers send it.
test.each<[string, unknown, object]>([
  [
    'OpenAI',
    {
      prompt_tokens: 2_006,
      completion_tokens: 300,
      total_tokens: 2_306,
      prompt_tokens_details: { cached_tokens: 1_920, audio_tokens: 0 },
      completion_tokens_details: {
        reasoning_tokens: 0,
        audio_tokens: 0,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
    },
    { inputTokens: 86, cachedInputTokens: 1_920, outputTokens: 300 },
  ],
  [
    'OpenAI, reasoning and writing its cache',
    {
      prompt_tokens: 5_000,
      completion_tokens: 900,
      total_tokens: 5_900,
      prompt_tokens_details: { cached_tokens: 1_000, cache_write_tokens: 3_000 },
      completion_tokens_details: { reasoning_tokens: 640 },
    },
    { inputTokens: 1_000, cachedInputTokens: 1_000, cacheWriteTokens: 3_000, outputTokens: 260, reasoningTokens: 640 },
  ],
  [
    'OpenAI, hearing',
    {
      prompt_tokens: 50,
      completion_tokens: 9,
      total_tokens: 59,
      prompt_tokens_details: { cached_tokens: 0, audio_tokens: 40, text_tokens: 10 },
    },
    { inputTokens: 50, cachedInputTokens: 0, outputTokens: 9 },
  ],
  [
    'Azure',
    {
      prompt_tokens: 11,
      completion_tokens: 12,
      total_tokens: 23,
      prompt_tokens_details: null,
      completion_tokens_details: null,
    },
    { inputTokens: 11, cachedInputTokens: 0, outputTokens: 12 },
  ],
  [
    'vLLM',
    { prompt_tokens: 31, total_tokens: 41, completion_tokens: 10, prompt_tokens_details: { cached_tokens: 16 } },
    { inputTokens: 15, cachedInputTokens: 16, outputTokens: 10 },
  ],
  [
    'Ollama',
    { prompt_tokens: 26, completion_tokens: 298, total_tokens: 324 },
    { inputTokens: 26, cachedInputTokens: 0, outputTokens: 298 },
  ],
  [
    'llama.cpp',
    { completion_tokens: 12, prompt_tokens: 20, total_tokens: 32 },
    { inputTokens: 20, cachedInputTokens: 0, outputTokens: 12 },
  ],
  [
    'OpenRouter',
    {
      prompt_tokens: 194,
      completion_tokens: 70,
      total_tokens: 264,
      cost: 0.00014,
      is_byok: false,
      prompt_tokens_details: { cached_tokens: 100, audio_tokens: 0 },
      cost_details: { upstream_inference_cost: null },
      completion_tokens_details: { reasoning_tokens: 20 },
    },
    { inputTokens: 94, cachedInputTokens: 100, outputTokens: 50, reasoningTokens: 20 },
  ],
  [
    'DeepSeek',
    {
      prompt_tokens: 16,
      completion_tokens: 500,
      total_tokens: 516,
      prompt_cache_hit_tokens: 10,
      prompt_cache_miss_tokens: 6,
      completion_tokens_details: { reasoning_tokens: 400 },
    },
    { inputTokens: 6, cachedInputTokens: 10, outputTokens: 100, reasoningTokens: 400 },
  ],
  [
    'xAI, which counts reasoning beside the completion',
    { prompt_tokens: 32, completion_tokens: 9, total_tokens: 135, completion_tokens_details: { reasoning_tokens: 94 } },
    { inputTokens: 32, cachedInputTokens: 0, outputTokens: 9, reasoningTokens: 94 },
  ],
  [
    'Moonshot',
    { prompt_tokens: 19, completion_tokens: 21, total_tokens: 40, cached_tokens: 19 },
    { inputTokens: 0, cachedInputTokens: 19, outputTokens: 21 },
  ],
  [
    'an answer without a word',
    { prompt_tokens: 9, completion_tokens: 0, total_tokens: 9 },
    { inputTokens: 9, cachedInputTokens: 0, outputTokens: 0 },
  ],
  [
    'a server that wants nothing for it',
    { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
    { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0 },
  ],
])('usage of %s is read in disjoint buckets', (_, sent, expected) => {
  expect(readUsage(sent)).toStrictEqual({ ...expected, ...reported })
})

const plain = { prompt_tokens: 10, completion_tokens: 5 }
test.each<[string, unknown]>([
  ['missing', undefined],
  ['null', null],
  ['a list', [plain]],
  ['without a prompt', { completion_tokens: 5 }],
  ['negative', { ...plain, completion_tokens: -1 }],
  ['broken', { ...plain, prompt_tokens: 1.5 }],
  ['text', { ...plain, prompt_tokens: '10' }],
  ['beyond all measure', { ...plain, completion_tokens: 1e12 }],
  ['no number', JSON.parse('{"prompt_tokens":1e999,"completion_tokens":5}')],
  ['more cached than read', { ...plain, prompt_tokens_details: { cached_tokens: 11 } }],
  [
    'more cached and written than read',
    { ...plain, prompt_tokens_details: { cached_tokens: 6, cache_write_tokens: 5 } },
  ],
  ['more thought than generated', { ...plain, total_tokens: 15, completion_tokens_details: { reasoning_tokens: 6 } }],
])('usage that is %s is no usage', (_, sent) => {
  expect(readUsage(sent)).toBe(undefined)
})

test('usage is found where servers put it', () => {
  const expected = { inputTokens: 10, cachedInputTokens: 0, outputTokens: 5, ...reported }
  expect(usageIn({ usage: plain })).toEqual(expected)
  expect(usageIn({ x_groq: { id: 'req_1', usage: plain } })).toEqual(expected)
  expect(usageIn({ choices: [{ usage: plain }] })).toEqual(expected)
  expect(usageIn({ usage: null, timings: { prompt_n: 10, cache_n: 4, predicted_n: 5, predicted_ms: 3.1 } })).toEqual({
    ...expected,
    cachedInputTokens: 4,
  })
})

test('what we render of usage reads as the same usage', () => {
  const usage = {
    inputTokens: 7,
    cachedInputTokens: 5,
    cacheWriteTokens: 3,
    outputTokens: 2,
    reasoningTokens: 9,
    ...reported,
  }
  expect(readUsage(renderUsage({ usage, charged: 5n }))).toEqual(usage)
})
