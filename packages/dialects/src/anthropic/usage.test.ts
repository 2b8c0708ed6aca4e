import { expect, test } from 'vitest'
import { readUsage, renderUsage } from './usage.ts'

const reported = { source: 'reported' }

test.each([
  ['plain', { input_tokens: 12, output_tokens: 7 }, { inputTokens: 12, cachedInputTokens: 0, outputTokens: 7 }],
  [
    'cached',
    { input_tokens: 4, cache_read_input_tokens: 2_048, cache_creation_input_tokens: 0, output_tokens: 7 },
    { inputTokens: 4, cachedInputTokens: 2_048, outputTokens: 7 },
  ],
  [
    'written for five minutes',
    {
      input_tokens: 4,
      cache_creation_input_tokens: 2_048,
      cache_read_input_tokens: 0,
      cache_creation: { ephemeral_5m_input_tokens: 2_048, ephemeral_1h_input_tokens: 0 },
      output_tokens: 7,
    },
    { inputTokens: 4, cachedInputTokens: 0, cacheWriteTokens: 2_048, outputTokens: 7 },
  ],
  [
    'written for both times, and only that told',
    {
      input_tokens: 4,
      cache_creation: { ephemeral_5m_input_tokens: 48, ephemeral_1h_input_tokens: 2_000 },
      output_tokens: 7,
    },
    { inputTokens: 4, cachedInputTokens: 0, cacheWriteTokens: 2_048, outputTokens: 7 },
  ],
  [
    'thinking',
    { input_tokens: 12, output_tokens: 107, output_tokens_details: { thinking_tokens: 100 } },
    { inputTokens: 12, cachedInputTokens: 0, outputTokens: 7, reasoningTokens: 100 },
  ],
  [
    'nulls',
    {
      input_tokens: 12,
      cache_creation_input_tokens: null,
      cache_read_input_tokens: null,
      cache_creation: null,
      output_tokens: 7,
      output_tokens_details: null,
      server_tool_use: null,
      service_tier: 'standard',
    },
    { inputTokens: 12, cachedInputTokens: 0, outputTokens: 7 },
  ],
  ['zeros', { input_tokens: 0, output_tokens: 0 }, { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0 }],
  ['nothing said', { input_tokens: 5, output_tokens: 0 }, { inputTokens: 5, cachedInputTokens: 0, outputTokens: 0 }],
])('usage that is %s is read into buckets without overlap', (_, usage, expected) => {
  expect(readUsage(usage)).toEqual({ ...expected, ...reported })
})

test.each([
  undefined,
  null,
  'many',
  [],
  {},
  { input_tokens: 12 },
  { output_tokens: 7 },
  { input_tokens: -1, output_tokens: 7 },
  { input_tokens: 1.5, output_tokens: 7 },
  { input_tokens: '12', output_tokens: 7 },
  { input_tokens: 12, output_tokens: 1e300 },
  { input_tokens: Number.MAX_SAFE_INTEGER, cache_read_input_tokens: 1, output_tokens: 7 },
  { input_tokens: 12, output_tokens: 7, output_tokens_details: { thinking_tokens: 8 } },
  { input_tokens: 12, output_tokens: 7, cache_read_input_tokens: -5 },
])('usage of %j is none: it is estimated instead', (usage) => {
  expect(readUsage(usage)).toBeUndefined()
})

test('what was read from a cache, or written to one, is no part of the input tokens', () => {
  const usage = {
    inputTokens: 4,
    cachedInputTokens: 100,
    cacheWriteTokens: 50,
    outputTokens: 7,
    reasoningTokens: 30,
    source: 'reported' as const,
  }
  const rendered = renderUsage({ usage, charged: 1_500_001n, clampedTo: 40 })
  expect(rendered).toEqual({
    input_tokens: 4,
    cache_creation_input_tokens: 50,
    cache_read_input_tokens: 100,
    cache_creation: null,
    output_tokens: 37,
    output_tokens_details: { thinking_tokens: 30 },
    server_tool_use: null,
    service_tier: null,
    inference_geo: null,
    speed: null,
    credits_consumed: 1.500001,
    clamped_max_tokens: 40,
  })
  expect(readUsage(rendered)).toEqual(usage)
  expect(JSON.stringify(renderUsage({ usage, charged: 1n }))).not.toContain('clamped')
})
