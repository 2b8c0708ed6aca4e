import { type Microcredits, type Price, type Usage, chargeFor } from '@weir/contracts'
import { anthropic, openai } from '@weir/dialects'
import { expect, test } from 'vitest'
import { nothingGenerated, usageOf } from './generated.ts'
import { requestOf } from './testing/service.ts'

/** Microcredits: 3 for a token in, 0.3 cached, 3.75 written to a cache, 15 out, 12 of reasoning; 1,000 an image, 100 each call. */
const price: Price = {
  input: 3_000_000n,
  cachedInput: 300_000n,
  cacheWrite: 3_750_000n,
  output: 15_000_000n,
  reasoning: 12_000_000n,
  image: 1_000_000_000n,
  request: 100_000_000n,
}

const prose = 'The river bends because water is lazy and soil is soft. '
/** Long enough for whatever was recorded. */
const request = requestOf({ messages: [{ role: 'user', content: prose.repeat(200) }], maxOutputTokens: 5_000 })
const image = { type: 'image', source: { kind: 'url', url: 'https://example.com/a.png' } } as const
const withImages = requestOf({ ...request, messages: [{ role: 'user', content: [image, image] }, ...request.messages] })

const readers = { openai: openai.readUsage, anthropic: anthropic.readUsage }
type Kind = keyof typeof readers

/** What our own tokenizer counts, where a backend says nothing or nonsense: 2,401 tokens in, four out. */
const estimated = { inputTokens: 2_401, cachedInputTokens: 0, outputTokens: 4, source: 'estimated' } as const
const estimatedCost = 7_363n

/** An attempt that said four words and of which its backend told so much. */
async function accounted(kind: Kind, told: unknown, asked = request) {
  const reported = readers[kind](told)
  const parts = [{ type: 'text' as const, text: 'Because water is lazy' }]
  const choices = [{ index: 0, parts, finishReason: 'stop' as const }]
  const usage = await usageOf(asked, { ...nothingGenerated(), choices, reported })
  return { usage, cost: chargeFor(price, { endedBy: 'backend', delivered: true, usage }) }
}

const tokens = (inputTokens: number, outputTokens: number, more: Partial<Usage> = {}): Usage => ({
  inputTokens,
  cachedInputTokens: 0,
  outputTokens,
  source: 'reported',
  ...more,
})

type Golden = [shape: string, kind: Kind, told: unknown, usage: Usage, cost: Microcredits]

const goldens: Golden[] = [
  [
    'plain, as Ollama and llama.cpp tell it',
    'openai',
    { prompt_tokens: 26, completion_tokens: 298, total_tokens: 324 },
    tokens(26, 298),
    78n + 4_470n + 100n,
  ],
  [
    'details that are null, as vLLM has them',
    'openai',
    { prompt_tokens: 14, total_tokens: 21, completion_tokens: 7, prompt_tokens_details: null },
    tokens(14, 7),
    42n + 105n + 100n,
  ],
  [
    'cached input, as OpenAI tells it, with audio among the tokens of its side',
    'openai',
    {
      prompt_tokens: 2_006,
      completion_tokens: 300,
      total_tokens: 2_306,
      prompt_tokens_details: { cached_tokens: 1_920, audio_tokens: 60 },
      completion_tokens_details: {
        reasoning_tokens: 0,
        audio_tokens: 220,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
    },
    tokens(86, 300, { cachedInputTokens: 1_920 }),
    258n + 576n + 4_500n + 100n,
  ],
  [
    'reasoning within the completion, as OpenAI counts it',
    'openai',
    {
      prompt_tokens: 75,
      completion_tokens: 1_186,
      total_tokens: 1_261,
      completion_tokens_details: { reasoning_tokens: 1_024 },
    },
    tokens(75, 162, { reasoningTokens: 1_024 }),
    225n + 2_430n + 12_288n + 100n,
  ],
  [
    'reasoning beside the completion, as xAI counts it',
    'openai',
    {
      prompt_tokens: 32,
      completion_tokens: 9,
      total_tokens: 135,
      prompt_tokens_details: { text_tokens: 32, audio_tokens: 0, image_tokens: 0, cached_tokens: 6 },
      completion_tokens_details: { reasoning_tokens: 94, audio_tokens: 0 },
    },
    tokens(26, 9, { cachedInputTokens: 6, reasoningTokens: 94 }),
    // 1.8 for the cached ones: rounded up once.
    78n + 2n + 135n + 1_128n + 100n,
  ],
  [
    'a cache that was read and written, as OpenRouter tells it',
    'openai',
    {
      prompt_tokens: 1_500,
      completion_tokens: 20,
      total_tokens: 1_520,
      cost: 0.0042,
      prompt_tokens_details: { cached_tokens: 400, cache_write_tokens: 1_000 },
    },
    tokens(100, 20, { cachedInputTokens: 400, cacheWriteTokens: 1_000 }),
    300n + 120n + 3_750n + 300n + 100n,
  ],
  [
    'hits and misses of a cache, as DeepSeek tells them',
    'openai',
    {
      prompt_tokens: 500,
      completion_tokens: 10,
      total_tokens: 510,
      prompt_cache_hit_tokens: 448,
      prompt_cache_miss_tokens: 52,
    },
    tokens(52, 10, { cachedInputTokens: 448 }),
    // 134.4 for the cached ones.
    156n + 135n + 150n + 100n,
  ],
  [
    'an answer of no tokens at all',
    'openai',
    { prompt_tokens: 40, completion_tokens: 0 },
    tokens(40, 0),
    120n + 0n + 100n,
  ],
  ['zeros all over', 'openai', { prompt_tokens: 0, completion_tokens: 0 }, tokens(0, 0), 0n],
  ['nothing', 'openai', undefined, estimated, estimatedCost],
  ['null', 'openai', null, estimated, estimatedCost],
  ['a field that is missing', 'openai', { prompt_tokens: 40 }, estimated, estimatedCost],
  ['less than nothing', 'openai', { prompt_tokens: -1, completion_tokens: 5 }, estimated, estimatedCost],
  ['half a token', 'openai', { prompt_tokens: 1.5, completion_tokens: 5 }, estimated, estimatedCost],
  ['numbers as text', 'openai', { prompt_tokens: '12', completion_tokens: '5' }, estimated, estimatedCost],
  [
    'more cached than there was',
    'openai',
    { prompt_tokens: 5, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 6 } },
    estimated,
    estimatedCost,
  ],
  [
    'more reasoning than there was',
    'openai',
    { prompt_tokens: 5, completion_tokens: 5, completion_tokens_details: { reasoning_tokens: 6 } },
    estimated,
    estimatedCost,
  ],
  [
    'plain, as Anthropic tells it',
    'anthropic',
    {
      input_tokens: 21,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 0,
      cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
      output_tokens: 305,
      service_tier: 'standard',
    },
    tokens(21, 305),
    63n + 4_575n + 100n,
  ],
  [
    'a cache that was read and written, beside the input',
    'anthropic',
    {
      input_tokens: 50,
      cache_creation_input_tokens: 248,
      cache_read_input_tokens: 1_800,
      cache_creation: { ephemeral_5m_input_tokens: 148, ephemeral_1h_input_tokens: 100 },
      output_tokens: 503,
    },
    tokens(50, 503, { cachedInputTokens: 1_800, cacheWriteTokens: 248 }),
    150n + 540n + 930n + 7_545n + 100n,
  ],
  [
    'thinking within the output',
    'anthropic',
    { input_tokens: 43, output_tokens: 1_300, output_tokens_details: { thinking_tokens: 1_200 } },
    tokens(43, 100, { reasoningTokens: 1_200 }),
    129n + 1_500n + 14_400n + 100n,
  ],
  [
    'nulls for what there was not',
    'anthropic',
    { input_tokens: 10, output_tokens: 2, cache_creation_input_tokens: null, cache_read_input_tokens: null },
    tokens(10, 2),
    30n + 30n + 100n,
  ],
  ['zeros all over', 'anthropic', { input_tokens: 0, output_tokens: 0 }, tokens(0, 0), 0n],
  ['nothing', 'anthropic', undefined, estimated, estimatedCost],
  ['a field that is missing', 'anthropic', { output_tokens: 2 }, estimated, estimatedCost],
  [
    'more thinking than there was',
    'anthropic',
    { input_tokens: 1, output_tokens: 2, output_tokens_details: { thinking_tokens: 3 } },
    estimated,
    estimatedCost,
  ],
  [
    'more than a number can hold',
    'anthropic',
    { input_tokens: Number.MAX_SAFE_INTEGER, cache_read_input_tokens: 1, output_tokens: 2 },
    estimated,
    estimatedCost,
  ],
]

test.each(goldens)('usage that tells of %s (%s) is counted and charged exactly', async (_, kind, told, usage, cost) => {
  expect(await accounted(kind, told)).toEqual({ usage, cost })
})

test('images are counted by us, whatever the backend calls its tokens', async () => {
  const told = { prompt_tokens: 1_000, completion_tokens: 4, prompt_tokens_details: { image_tokens: 900 } }

  expect(await accounted('openai', told, withImages)).toEqual({
    usage: tokens(1_000, 4, { images: 2 }),
    cost: 3_000n + 60n + 2_000n + 100n,
  })
})

test('work that is told in either dialect costs the same', async () => {
  const inOpenai = {
    prompt_tokens: 700,
    completion_tokens: 90,
    prompt_tokens_details: { cached_tokens: 500, cache_write_tokens: 150 },
    completion_tokens_details: { reasoning_tokens: 60 },
  }
  const inAnthropic = {
    input_tokens: 50,
    cache_read_input_tokens: 500,
    cache_creation_input_tokens: 150,
    output_tokens: 90,
    output_tokens_details: { thinking_tokens: 60 },
  }

  expect(await accounted('anthropic', inAnthropic)).toEqual(await accounted('openai', inOpenai))
})
