import { expect, test } from 'vitest'
import {
  BackendConfig,
  type ChoiceResult,
  type Chunk,
  type CompletionRequest,
  type Message,
  type Tool,
  type Usage,
  gather,
} from '@weir/contracts'
import { createSimulatedBackend, type SimulatedConfig } from './simulated.ts'
import { collect, never, requestOf } from './testing/requests.ts'

const target = { backend: 'pool', model: 'toy' }

const backendOf = () =>
  createSimulatedBackend(
    'pool',
    BackendConfig.parse({
      kind: 'simulated',
      latency_ms: 0,
      tokens_per_second: 1e6,
      output_tokens: 8,
    }) as SimulatedConfig,
  )

const user = (content: Extract<Message, { role: 'user' }>['content']): Message => ({ role: 'user', content })

async function answerTo(overrides: Partial<CompletionRequest>, backend = backendOf()) {
  const { chunks, error } = await collect(backend.stream(requestOf(overrides), target, never()))
  expect(error).toBeUndefined()
  const choices: ChoiceResult[] = []
  let usage: Usage | undefined
  for (const chunk of chunks) {
    if (chunk.type === 'usage') ({ usage } = chunk)
    else gather(choices, chunk)
  }
  return { chunks, choices, first: choices[0]!, usage: usage! }
}

const weather: Tool = {
  kind: 'function',
  name: 'get_weather',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' }, days: { type: 'integer' } },
    required: ['city'],
  },
}
const clock: Tool = { kind: 'function', name: 'tellTime' }
const shell: Tool = { kind: 'custom', name: 'shell' }
const tools = [weather, clock, shell]

const called = ({ parts }: ChoiceResult) => parts.map((part) => (part.type === 'tool_call' ? part.name : part.type))

test.each<[string, Partial<CompletionRequest>, string[]]>([
  ['none unasked', { tools }, ['text']],
  ['one that is required', { tools, toolChoice: { type: 'required' } }, ['get_weather']],
  ['one by name', { tools, toolChoice: { type: 'tool', kind: 'custom', name: 'shell' } }, ['shell']],
  ['one of those allowed', { tools, toolChoice: { type: 'allowed', mode: 'required', tools: [clock] } }, ['tellTime']],
  [
    'none that is not allowed',
    { tools, toolChoice: { type: 'allowed', mode: 'auto', tools: [clock] }, messages: [user('get_weather')] },
    ['text'],
  ],
  ['none when there must be none', { tools, toolChoice: { type: 'none' }, messages: [user('get_weather')] }, ['text']],
  ['one the user names', { tools, messages: [user('Please tell time.')] }, ['tellTime']],
  ['all the user names', { tools, messages: [user('Run get_weather, then shell!')] }, ['get_weather', 'shell']],
  [
    'one at a time if so wished',
    { tools, parallelToolCalls: false, messages: [user('get_weather and shell')] },
    ['get_weather'],
  ],
  ['none in a longer word', { tools, messages: [user('Shells forget weather.')] }, ['text']],
])('of its tools it calls %s', async (_what, request, names) => {
  const { first } = await answerTo(request)

  expect(called(first)).toEqual(names)
  expect(first.finishReason).toBe(names[0] === 'text' ? 'stop' : 'tool_calls')
})

test('a function is called with what its schema asks for, a custom tool with text', async () => {
  const { first, usage } = await answerTo({ tools, messages: [user('get_weather, tell_time and shell')] })

  const given = first.parts.map((part) => (part.type === 'tool_call' ? part.arguments : ''))
  expect(JSON.parse(given[0]!)).toEqual({ city: expect.any(String) as string, days: expect.any(Number) as number })
  expect(given.slice(1)).toEqual(['{}', 'simulated input of shell'])
  const ids = first.parts.map((part) => part.type === 'tool_call' && part.id)
  expect(new Set(ids).size).toBe(3)
  expect(usage.outputTokens).toBeGreaterThan(3)
})

test('after the results of its tools it answers with them, whatever is required', async () => {
  const messages: Message[] = [
    user('get_weather'),
    {
      role: 'assistant',
      content: [{ type: 'tool_call', id: 'a', kind: 'function', name: 'get_weather', arguments: '{}' }],
    },
    { role: 'tool', callId: 'a', content: '12 degrees,\nrain' },
    { role: 'tool', callId: 'b', content: 'no such city', isError: true },
  ]

  const { first } = await answerTo({ tools, toolChoice: { type: 'required' }, messages })

  expect(first.parts).toMatchObject([
    {
      type: 'text',
      text: 'Simulated answer from pool/toy: get_weather answered 12 degrees,\nrain. the tool failed with no such city.',
    },
  ])
})

test('a JSON schema is filled, and JSON without one is an object', async () => {
  const schema = {
    type: 'object',
    properties: { level: { type: 'integer', minimum: 3, maximum: 5 } },
    required: ['level'],
  }

  const filled = await answerTo({ responseFormat: { type: 'json_schema', schema } })
  const plain = await answerTo({ responseFormat: { type: 'json_object' } })

  const levelOf = ({ parts }: ChoiceResult) =>
    (JSON.parse(parts[0]?.type === 'text' ? parts[0].text : '') as { level: number }).level
  expect([3, 4, 5]).toContain(levelOf(filled.first))
  expect(plain.first.parts).toMatchObject([
    { type: 'text', text: expect.stringMatching(/^\{"answer":".+"\}$/) as string },
  ])
})

test.each<[string, Partial<CompletionRequest>]>([
  [
    'JSON',
    { responseFormat: { type: 'json_schema', schema: { type: 'array', items: { type: 'string' }, minItems: 1e9 } } },
  ],
  [
    'arguments',
    { tools: [{ ...weather, parameters: { type: 'array', minItems: 1e9 } }], toolChoice: { type: 'required' } },
  ],
  ['reasoning', { reasoning: { effort: 'max' } }],
  ['a refusal', { messages: [user('REFUSE')] }],
])('the output limit cuts %s', async (_what, request) => {
  const { first, usage } = await answerTo({ ...request, maxOutputTokens: 5 })

  expect(first.finishReason).toBe('length')
  expect(usage.outputTokens + (usage.reasoningTokens ?? 0)).toBe(5)
})

test('it tells how much of what kind it was shown', async () => {
  const { first, usage } = await answerTo({
    messages: [
      user([
        { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' } },
        { type: 'image', source: { kind: 'url', url: 'https://example.com/a' } },
        { type: 'audio', format: 'wav', data: 'AAAA' },
        { type: 'file', source: { kind: 'text', text: 'hello there' } },
        { type: 'text', text: 'What is this?' },
      ]),
    ],
  })

  expect(first.parts).toMatchObject([
    {
      text: 'Simulated answer from pool/toy: it sees 2 images (image/png, url) and 1 recording (wav) and 1 file (text).',
    },
  ])
  expect(usage.inputTokens).toBe(2 * 85 + 1 + 2 + 3)
})

test.each<[CompletionRequest['reasoning'], number]>([
  [{ effort: 'none' }, 0],
  [{ thinking: { type: 'disabled' } }, 0],
  [{ effort: 'low' }, 8],
  [{ thinking: { type: 'adaptive' } }, 16],
  [{ thinking: { type: 'enabled', budgetTokens: 3 } }, 3],
])('asked for reasoning by %j it thinks for %d tokens before it speaks', async (reasoning, tokens) => {
  const { first, usage } = await answerTo({ reasoning })

  expect(usage.reasoningTokens ?? 0).toBe(tokens)
  expect(usage.outputTokens).toBe(8)
  const thought = {
    type: 'reasoning',
    text: expect.stringMatching(/^Simulated reasoning:/),
    signature: expect.any(String),
  }
  expect(first.parts).toMatchObject([...(tokens > 0 ? [thought] : []), { type: 'text' }])
})

test('reasoning that is left out is there by its signature alone', async () => {
  const { first, usage } = await answerTo({ reasoning: { effort: 'low', display: 'omitted' } })

  expect(first.parts[0]).toMatchObject({ type: 'reasoning', text: '', signature: expect.any(String) as string })
  expect(usage.reasoningTokens).toBe(8)
})

test('several choices come interleaved, differ, and are counted together', async () => {
  const { chunks, choices, usage } = await answerTo({ choices: 3 })

  expect(new Set(choices.map(({ parts }) => JSON.stringify(parts))).size).toBe(3)
  expect(chunks.slice(0, 4).map((chunk) => 'choice' in chunk && chunk.choice)).toEqual([0, 1, 2, 0])
  expect(usage.outputTokens).toBe(24)
})

test('every token has probabilities that make sense, when they are asked for', async () => {
  const { first } = await answerTo({ logprobs: { top: 4 } })

  const [part] = first.parts
  const logprobs = part?.type === 'text' ? (part.logprobs ?? []) : []
  expect(logprobs.map(({ token }) => token).join('')).toBe(part?.type === 'text' && part.text)
  for (const { token, logprob, bytes, top } of logprobs) {
    expect(Buffer.from(bytes!).toString()).toBe(token)
    expect(top).toHaveLength(4)
    expect(top[0]).toMatchObject({ token, logprob })
    expect(new Set(top.map((each) => each.token)).size).toBe(4)
    expect(top.reduce((sum, each) => sum + Math.exp(each.logprob), 0)).toBeLessThanOrEqual(1)
  }
  expect((await answerTo({ logprobs: { top: 0 } })).first.parts).toMatchObject([{ logprobs: { 0: { top: [] } } }])
})

test('the stop sequence that came first is told', async () => {
  const { first } = await answerTo({ stop: ['from', 'answer'] })
  expect(first).toMatchObject({ finishReason: 'stop', stopSequence: 'answer', parts: [{ text: 'Simulated ' }] })
})

test('another seed is another answer', async () => {
  const [one, same, other] = await Promise.all([1, 1, 2].map((seed) => answerTo({ seed })))
  expect(one!.chunks).toEqual(same!.chunks)
  expect(one!.chunks).not.toEqual(other!.chunks)
})

test('it refuses when it is told to, and only then', async () => {
  const { first } = await answerTo({ messages: [user('REFUSE')] })
  expect(first.parts).toEqual([{ type: 'refusal', text: 'I am simulated, and I refuse.' }])
  expect(first.finishReason).toBe('stop')
  expect((await answerTo({ messages: [user('REFUSE it')] })).first.parts).toMatchObject([{ type: 'text' }])
})

test('a prefix that is marked is written to the cache once and read from then on', async () => {
  const backend = backendOf()
  const ask = async (...texts: [text: string, cache?: object][]) =>
    (
      await answerTo(
        { messages: [user(texts.map(([text, cache]) => ({ type: 'text', text, ...(cache && { cache }) })))] },
        backend,
      )
    ).usage

  expect(await ask(['a b c', {}], ['d'])).toMatchObject({ inputTokens: 1, cachedInputTokens: 0, cacheWriteTokens: 3 })
  expect(await ask(['a b c', {}], ['e f'])).toMatchObject({ inputTokens: 2, cachedInputTokens: 3 })
  expect(await ask(['a b c', {}], ['g h', { ttl: '1h' }], ['i'])).toMatchObject({
    inputTokens: 1,
    cachedInputTokens: 3,
    cacheWriteTokens: 2,
  })
  expect(await ask(['a b'], ['c', {}])).toMatchObject({ cachedInputTokens: 0, cacheWriteTokens: 3 })
  expect(await ask(['a b c'])).toMatchObject({ inputTokens: 3, cachedInputTokens: 0 })
})

test('what is remembered of one account is not read by another', async () => {
  const backend = backendOf()
  const messages = [user([{ type: 'text' as const, text: 'a b c', cache: {} }])]
  const ask = async (account: string) => (await answerTo({ messages, account }, backend)).usage

  await ask('acct_1')

  expect(await ask('acct_2')).toMatchObject({ cachedInputTokens: 0, cacheWriteTokens: 3 })
  expect(await ask('acct_1')).toMatchObject({ cachedInputTokens: 3 })
})

test.each(['break', 'truncate'] as const)('the fault "%s" may also hit in the middle of a call', async (fault) => {
  const config = BackendConfig.parse({
    kind: 'simulated',
    latency_ms: 0,
    tokens_per_second: 1e6,
    fault,
    fault_after_tokens: 3,
  })
  const backend = createSimulatedBackend('pool', config as SimulatedConfig)

  const { chunks, error } = await collect(
    backend.stream(requestOf({ tools, toolChoice: { type: 'required' } }), target, never()),
  )

  expect(error).toMatchObject({ code: 'backend_error' })
  expect(chunks.map(({ type }: Chunk) => type)).toEqual(['tool_call', 'arguments', 'arguments'])
})
