import { anthropic, openai } from '@weir/dialects'
import fc from 'fast-check'
import { arbitraryOf, type Known } from './arbitrary-of.ts'

/** One of the two ways to ask, and what the fuzz tests must know of it. */
export type FuzzedDialect = {
  name: 'openai' | 'anthropic'
  path: string
  headers: Record<string, string>
  /** Of the shape of the schema, and what the schema accepts. */
  valid: fc.Arbitrary<Record<string, unknown>>
  /** What the schema says of a body, as the server asks it. */
  verdictOn(body: unknown): Verdict
}

type Verdict = { success: boolean; error?: { issues: readonly { path: readonly PropertyKey[] }[] } | undefined }

export const MODEL = 'fuzz'

// One pixel.
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const callIds = fc.constantFrom('call_1', 'call_2')

const always: Known = {
  model: fc.constant(MODEL),
  // In the background there is no answer yet to look at, and what is kept is another test's.
  background: fc.constant(false),
  // Nobody is there.
  webhook_url: fc.constant('https://hooks.invalid/events'),
  stream: fc.boolean(),
  max_tokens: fc.integer({ min: 1, max: 5_000 }),
  data: fc.constant(PNG),
  id: callIds,
  arguments: fc.constantFrom('{}', '{"city":"Zürich"}', 'not JSON'),
  name: fc.constantFrom('get_weather', 'set_weather'),
}

const schemas = { openai: openai.ChatCompletionRequest, anthropic: anthropic.MessagesRequest }
const withoutNulls = { openai: openai.withoutNulls, anthropic: anthropic.withoutNulls }

const dialectOf = (name: 'openai' | 'anthropic', path: string, headers: Record<string, string>, known: Known) => {
  const verdictOn = (body: unknown) => schemas[name].safeParse(withoutNulls[name](body))
  const valid = arbitraryOf(schemas[name], { ...always, ...known }).filter((body) => verdictOn(body).success)
  return { name, path, headers, valid, verdictOn } satisfies FuzzedDialect
}

export const dialects: readonly FuzzedDialect[] = [
  dialectOf(
    'openai',
    '/v1/chat/completions',
    {},
    {
      url: fc.constant(`data:image/png;base64,${PNG}`),
      file_data: fc.constant(PNG),
      tool_call_id: callIds,
      n: fc.integer({ min: 1, max: 3 }),
      max_completion_tokens: fc.integer({ min: 1, max: 1_000 }),
    },
  ),
  dialectOf(
    'anthropic',
    '/v1/messages',
    { 'anthropic-version': '2023-06-01' },
    {
      url: fc.constant('https://example.com/image.png'),
      tool_use_id: callIds,
      input_schema: fc.constant({ type: 'object', properties: {} }),
    },
  ),
]
