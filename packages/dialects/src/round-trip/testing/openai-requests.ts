import fc from 'fast-check'
import { base64, jsonObject, list, name, object, ratio, schema, some, text, url } from './arbitraries.ts'

const is = <const Value>(value: Value) => fc.constant(value)
const textPart = object({ type: is('text'), text })
const named = { name }

const picture = fc.oneof(
  url,
  base64.map((data) => `data:image/png;base64,${data}`),
)
const imageOf = (detail: object) => object({ type: is('image_url'), image_url: object({ url: picture }, detail) })
const pdf = object({
  type: is('file'),
  file: object({ file_data: base64.map((data) => `data:application/pdf;base64,${data}`) }, { filename: name }),
})
const audio = object({
  type: is('input_audio'),
  input_audio: object({ data: base64, format: fc.constantFrom('wav', 'mp3') }),
})

const call = object({
  id: is('call'),
  type: is('function'),
  function: object({ name, arguments: jsonObject.map((input) => JSON.stringify(input)) }),
})
const customCall = object({ id: is('call'), type: is('custom'), custom: object({ name, input: text }) })
const result = object({ role: is('tool'), tool_call_id: is('call'), content: fc.oneof(text, list(textPart)) })

/** Turns that follow each other, in pairs: what a model said, and what it was asked before. */
const pairOf = (question: fc.Arbitrary<object>, answer: fc.Arbitrary<object>) => fc.tuple(question, answer)

const plainQuestion = object({ role: is('user'), content: fc.oneof(text, list(fc.oneof(textPart, imageOf({}), pdf))) })
const plainAnswer = object({ role: is('assistant'), content: fc.oneof(text, list(textPart)) })
const plainCall = fc.tuple(
  plainQuestion,
  object({ role: is('assistant'), tool_calls: fc.tuple(call) }, { content: text }),
  result,
  plainAnswer,
)

const anyQuestion = object(
  {
    role: is('user'),
    content: fc.oneof(text, list(fc.oneof(textPart, imageOf({ detail: fc.constantFrom('low', 'auto') }), pdf, audio))),
  },
  named,
)
const anyAnswer = object(
  { role: is('assistant'), content: fc.oneof(text, list(textPart)) },
  { refusal: text, reasoning_content: text, tool_calls: list(fc.oneof(call, customCall)), ...named },
)
const instructed = object(
  { role: fc.constantFrom('system', 'developer'), content: fc.oneof(text, list(textPart)) },
  named,
)

const functionTool = (must: object) =>
  object({ type: is('function'), function: object({ name, ...must }, { description: text, strict: fc.boolean() }) })
const toolsOf = (must: object) =>
  fc.uniqueArray(functionTool(must), { selector: (tool) => String(tool.function.name), minLength: 1, maxLength: 3 })

const choosing = (must: object) =>
  toolsOf(must).chain((tools) =>
    object(
      { tools: is(tools) },
      {
        tool_choice: fc.oneof(
          fc.constantFrom('none', 'auto', 'required'),
          fc.constantFrom(...tools).map((tool) => ({ type: 'function', function: { name: tool.function.name } })),
        ),
      },
    ),
  )

const sampling = {
  temperature: ratio,
  top_p: ratio,
  top_k: fc.integer({ min: 1, max: 100 }),
  stop: list(text),
  user: text,
}

/** Requests that the other dialect has words for, too. */
export const sharedRequest = fc
  .tuple(
    fc.option(object({ role: is('system'), content: text })),
    fc.array(fc.oneof(pairOf(plainQuestion, plainAnswer), plainCall), { maxLength: 2 }),
    plainQuestion,
    some<Record<string, unknown>>({
      ...sampling,
      model: name,
      service_tier: is('default'),
      reasoning_effort: fc.constantFrom('low', 'medium', 'high', 'xhigh', 'max'),
      response_format: object({ type: is('json_schema'), json_schema: object({ name, schema }) }),
    }),
    fc.option(choosing({ parameters: schema })),
  )
  .map(([system, turns, last, rest, chosen]) => ({
    max_completion_tokens: 5_000,
    messages: [...(system ? [system] : []), ...turns.flat(), last],
    ...rest,
    ...chosen,
  }))

/** Requests with all that the dialect has. */
export const anyRequest = fc
  .tuple(
    fc.array(fc.oneof(instructed, anyQuestion, anyAnswer), { minLength: 1, maxLength: 4 }),
    some<Record<string, unknown>>({
      ...sampling,
      model: name,
      max_completion_tokens: fc.integer({ min: 1, max: 9_999 }),
      seed: fc.maxSafeInteger(),
      n: fc.integer({ min: 1, max: 8 }),
      frequency_penalty: ratio,
      presence_penalty: ratio,
      logit_bias: is({ 5: -100, 77: 3 }),
      verbosity: fc.constantFrom('low', 'high'),
      service_tier: fc.constantFrom('default', 'flex', 'priority'),
      reasoning_effort: fc.constantFrom('none', 'minimal', 'max'),
      response_format: fc.oneof(
        is({ type: 'json_object' }),
        object({
          type: is('json_schema'),
          json_schema: object({ name }, { schema, description: text, strict: fc.boolean() }),
        }),
      ),
      prompt_cache_key: name,
      logprobs: is(true),
      parallel_tool_calls: fc.boolean(),
    }),
    fc.option(choosing({})),
  )
  .map(([messages, rest, chosen]) => ({ messages, ...rest, ...chosen }))
