import { afterAll, beforeAll, expect, test } from 'vitest'
import Anthropic from '@anthropic-ai/sdk'
import type OpenAI from 'openai'
import { kinds } from '../clients/mock-backend/answer.ts'
import { modelNamed, openPlace, type Place } from '../clients/place.ts'
import { asking, clientOf } from './testing/customer.ts'
import { callsOf } from './testing/operator.ts'

let place: Place
let openai: OpenAI
let anthropic: Anthropic

beforeAll(async () => {
  place = await openPlace(['echo', 'tool', 'reasoning'].map((script) => ({ script })))
  const { apiKey } = place.customer
  openai = clientOf(apiKey, place.weir.url)
  anthropic = new Anthropic({ baseURL: place.weir.url, apiKey, maxRetries: 0 })
})
afterAll(() => place?.[Symbol.asyncDispose]())

type Spent = { credits_consumed: number }
const PROMPT = 'Tell me about the Zürich river 🌊.'
const parameters = { type: 'object' as const, properties: { city: { type: 'string' } }, required: ['city'] }
const inOpenAi = (model: string) => ({ ...asking(model, PROMPT), max_tokens: 100 })
const inAnthropic = (model: string) => inOpenAi(model)

test.each(kinds)(
  'the same prompt costs and says the same in both dialects, on a backend that speaks as %s',
  async (kind) => {
    const model = modelNamed(kind, 'echo')
    const one = await openai.chat.completions.create(inOpenAi(model))
    const other = await anthropic.messages.create(inAnthropic(model))

    expect(other.content).toEqual([expect.objectContaining({ type: 'text', text: one.choices[0]?.message.content })])
    expect([one.model, other.model]).toEqual([model, model])
    expect((one.usage as unknown as Spent).credits_consumed).toBe(0.025)
    expect((other.usage as unknown as Spent).credits_consumed).toBe(0.025)
    expect([other.usage.input_tokens, other.usage.output_tokens]).toEqual([
      one.usage?.prompt_tokens,
      one.usage?.completion_tokens,
    ])
    expect(await place.customer.charges(one.id)).toEqual([0.025])
  },
)

test.each(kinds)('a tool is called alike in both dialects, on a backend that speaks as %s', async (kind) => {
  const model = modelNamed(kind, 'tool')
  const one = await openai.chat.completions.create({
    ...inOpenAi(model),
    tools: [{ type: 'function', function: { name: 'get_weather', parameters } }],
  })
  const other = await anthropic.messages.create({
    ...inAnthropic(model),
    tools: [{ name: 'get_weather', input_schema: parameters }],
  })

  const [call] = one.choices[0]?.message.tool_calls ?? []
  const block = other.content.find(({ type }) => type === 'tool_use')
  expect(call).toMatchObject({ type: 'function', function: { name: 'get_weather' } })
  const { id, name, input } = block as Anthropic.ToolUseBlock
  expect({ id, name, input }).toEqual({
    id: call?.id,
    name: 'get_weather',
    input: JSON.parse((call as OpenAI.ChatCompletionMessageFunctionToolCall).function.arguments),
  })
  expect([one.choices[0]?.finish_reason, other.stop_reason]).toEqual(['tool_calls', 'tool_use'])
  expect((other.usage as unknown as Spent).credits_consumed).toBe((one.usage as unknown as Spent).credits_consumed)
})

test.each(kinds)('what a model thought is told in both dialects, on a backend that speaks as %s', async (kind) => {
  const model = modelNamed(kind, 'reasoning')
  const one = await openai.chat.completions.create(inOpenAi(model))
  const other = await anthropic.messages.create(inAnthropic(model))

  const thought = 'Rivers run to the sea.'
  expect(one.choices[0]?.message).toMatchObject({ reasoning_content: thought })
  expect(other.content[0]).toMatchObject({ type: 'thinking', thinking: thought })
})

test('a stream that was begun in one dialect is shown in the other', async () => {
  const calls = callsOf(place.weir, place.customer.apiKey)
  const model = modelNamed('openai', 'echo')

  const stream = anthropic.messages.stream({ ...inAnthropic(model), store: true } as Anthropic.MessageStreamParams)
  const message = await stream.finalMessage()
  const shown = await calls.get<OpenAI.ChatCompletion>(`chat/completions/${message.id}`)

  expect(shown.status).toBe(200)
  expect(shown.body).toMatchObject({ object: 'chat.completion', status: 'completed' })
  expect(shown.body.choices[0]?.message.content).toBe((message.content[0] as Anthropic.TextBlock).text)
  expect((shown.body.usage as unknown as Spent).credits_consumed).toBe(0.025)
})
