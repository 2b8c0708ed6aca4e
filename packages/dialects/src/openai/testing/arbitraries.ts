import type { ChoiceResult, TokenLogprob } from '@weir/contracts'
import fc from 'fast-check'

// Bodies as `fromCanonical` writes them: with nothing that is said in two ways, so that they come back as they went.

const text = fc.string({ unit: 'binary', maxLength: 12 })
const said = text.filter((each) => each !== '')
const name = fc.stringMatching(/^[a-zA-Z0-9_-]{1,12}$/)
const base64 = fc.uint8Array({ minLength: 1, maxLength: 9 }).map((bytes) => Buffer.from(bytes).toString('base64'))
// As it is after it went over the wire, where there is no -0.
const json = fc
  // A body with such a key is refused before anybody reads it.
  .dictionary(
    name.filter((key) => key !== '__proto__'),
    fc.jsonValue({ maxDepth: 3 }),
  )
  .map((value) => JSON.parse(JSON.stringify(value)) as object)
const some = <Fields extends object>(fields: { [Key in keyof Fields]: fc.Arbitrary<Fields[Key]> }) =>
  fc.record(fields, { requiredKeys: [] })
const record = <Fields extends object, More extends object>(
  fields: { [Key in keyof Fields]: fc.Arbitrary<Fields[Key]> },
  more: { [Key in keyof More]: fc.Arbitrary<More[Key]> },
) => fc.record({ ...fields, ...more } as never, { requiredKeys: Object.keys(fields) as never }) as fc.Arbitrary<object>

const ttl = fc.constantFrom('30m', '12h')
const marked = { prompt_cache_breakpoint: record({ mode: fc.constant('explicit') }, { ttl }) }
const textPart = record({ type: fc.constant('text'), text }, marked)
const url = fc.oneof(
  fc.webUrl({ withFragments: true }),
  base64.map((data) => `data:image/png;base64,${data}`),
)
const imagePart = record(
  {
    type: fc.constant('image_url'),
    image_url: record({ url }, { detail: fc.constantFrom('auto', 'low', 'high', 'original') }),
  },
  marked,
)
const audioPart = record(
  {
    type: fc.constant('input_audio'),
    input_audio: fc.record({ data: base64, format: fc.constantFrom('wav', 'mp3') }),
  },
  marked,
)
const filePart = record(
  {
    type: fc.constant('file'),
    file: record({ file_data: base64.map((data) => `data:application/pdf;base64,${data}`) }, { filename: text }),
  },
  marked,
)
const parts = (part: fc.Arbitrary<object>) => fc.array(part, { minLength: 1, maxLength: 3 })
const texts = fc.oneof(text, parts(textPart))
const named = { name: said }

const toolCall = (id: fc.Arbitrary<string>) =>
  fc.oneof(
    fc.record({
      id,
      type: fc.constant('function'),
      function: fc.record({ name: said, arguments: fc.json() }),
    }),
    fc.record({ id, type: fc.constant('custom'), custom: fc.record({ name: said, input: text }) }),
  )

const answer = fc.oneof(
  record({ role: fc.constant('assistant'), content: texts }, named),
  record(
    {
      role: fc.constant('assistant'),
      content: fc.oneof(fc.constant(null), said, fc.array(textPart, { minLength: 2, maxLength: 3 })),
      tool_calls: fc.array(toolCall(fc.constantFrom('a', 'b')), { minLength: 1, maxLength: 3 }),
    },
    { ...named, refusal: said, reasoning_content: said },
  ),
  record({ role: fc.constant('assistant'), content: fc.constant(null), refusal: said }, { reasoning_content: said }),
)

const message = fc.oneof(
  record({ role: fc.constantFrom('system', 'developer'), content: texts }, named),
  record(
    {
      role: fc.constant('user'),
      content: fc.oneof(text, parts(fc.oneof(textPart, imagePart, audioPart, filePart))),
    },
    named,
  ),
  answer,
)
/** Every result has its call before it. */
const called = fc.constant({
  role: 'assistant',
  content: null,
  tool_calls: [{ id: 'a', type: 'function', function: { name: 'look', arguments: '{}' } }],
})
const result = fc.record({ role: fc.constant('tool'), tool_call_id: fc.constant('a'), content: texts })
const messages = fc
  .tuple(fc.array(message, { minLength: 1, maxLength: 4 }), fc.array(fc.tuple(called, result), { maxLength: 2 }))
  .map(([said, results]) => [...said, ...results.flat()])

const tool = (name: string) =>
  fc.oneof(
    fc.record({
      type: fc.constant('function'),
      function: record({ name: fc.constant(name) }, { description: text, parameters: json, strict: fc.boolean() }),
    }),
    fc.record({
      type: fc.constant('custom'),
      custom: record(
        { name: fc.constant(name) },
        {
          description: text,
          format: fc.oneof(
            fc.constant({ type: 'text' }),
            fc.record({
              type: fc.constant('grammar'),
              grammar: fc.record({ definition: text, syntax: fc.constantFrom('lark', 'regex') }),
            }),
          ),
        },
      ),
    }),
  )
type AnyTool = { type: string } & Record<string, { name: string }>
const nameOf = (each: AnyTool) => ({ type: each.type, [each.type]: { name: each[each.type]!.name } })

const tools = fc
  .uniqueArray(name, { minLength: 1, maxLength: 3 })
  .chain((names) => fc.tuple(...names.map(tool)))
  .chain((tools) => {
    const names = (tools as unknown as AnyTool[]).map(nameOf)
    const allowed = fc.subarray(names, { minLength: 1 })
    return record(
      { tools: fc.constant(tools) },
      {
        parallel_tool_calls: fc.boolean(),
        tool_choice: fc.oneof(
          fc.constantFrom<unknown>('none', 'auto', 'required', ...names),
          fc.record({
            type: fc.constant('allowed_tools'),
            allowed_tools: fc.record({ mode: fc.constantFrom('auto', 'required'), tools: allowed }),
          }),
        ),
      },
    )
  })

const numbers = some({
  max_completion_tokens: fc.integer({ min: 1 }),
  temperature: fc.double({ min: 0, max: 2, noNaN: true }).filter((each) => !Object.is(each, -0)),
  top_p: fc.double({ min: Number.MIN_VALUE, max: 1, noNaN: true }),
  top_k: fc.integer({ min: 1 }),
  frequency_penalty: fc.integer({ min: -2, max: 2 }),
  presence_penalty: fc.integer({ min: -2, max: 2 }),
  logit_bias: fc.dictionary(fc.nat().map(String), fc.integer({ min: -100, max: 100 }), { maxKeys: 3 }),
  seed: fc.maxSafeInteger(),
  n: fc.integer({ min: 1, max: 128 }),
})
const probabilities = fc.oneof(
  fc.constant({}),
  record({ logprobs: fc.constant(true) }, { top_logprobs: fc.integer({ min: 1, max: 20 }) }),
)
const rest = some({
  model: name,
  stop: fc.array(said, { minLength: 1, maxLength: 4 }),
  response_format: fc.oneof(
    fc.constant({ type: 'json_object' }),
    fc.record({
      type: fc.constant('json_schema'),
      json_schema: record({ name }, { description: text, schema: json, strict: fc.boolean() }),
    }),
  ),
  reasoning_effort: fc.constantFrom('none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'),
  verbosity: fc.constantFrom('low', 'medium', 'high'),
  service_tier: fc.constantFrom('default', 'flex', 'scale', 'priority', 'fast'),
  user: text,
  prompt_cache_key: text,
  prompt_cache_options: fc.oneof(record({ mode: fc.constantFrom('implicit', 'explicit') }, { ttl })),
  prompt_cache_retention: fc.constantFrom('in_memory', '24h'),
  min_p: fc.integer(),
  provider: json,
})

/** Any request in its normal form. */
export const anyBody = fc
  .tuple(messages, numbers, probabilities, rest, fc.oneof(fc.constant({}), tools))
  .map(([messages, ...fields]) => Object.assign({ messages }, ...fields) as object)

const likely = { token: text, logprob: fc.double({ min: -100, max: 0, noNaN: true }).map((each) => each + 0) }
const bytes = fc.oneof(fc.constant(null), fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 4 }))
const logprob: fc.Arbitrary<TokenLogprob> = fc.record({
  ...likely,
  bytes,
  top: fc.array(fc.record({ ...likely, bytes }), { maxLength: 2 }),
})
const kind = fc.constantFrom('function' as const, 'custom' as const)

const textOfAnswer = fc.record(
  { type: fc.constant('text' as const), text: said, logprobs: fc.array(logprob, { minLength: 1, maxLength: 3 }) },
  { requiredKeys: ['type', 'text'] },
)
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.array(value, { maxLength: 1 })

/** Choices in the order in which this dialect says them. */
export const anyChoices: fc.Arbitrary<ChoiceResult[]> = fc
  .array(
    fc.record({
      reasoning: maybe(fc.record({ type: fc.constant('reasoning' as const), text: said })),
      text: maybe(textOfAnswer),
      refusal: maybe(fc.record({ type: fc.constant('refusal' as const), text: said })),
      calls: fc.array(
        fc.record({ type: fc.constant('tool_call' as const), id: said, kind, name: said, arguments: said }),
        { maxLength: 3 },
      ),
      finish: fc.constantFrom('stop' as const, 'length' as const, 'content_filter' as const),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((choices) =>
    choices.map(({ reasoning, text, refusal, calls, finish }, index) => ({
      index,
      parts: [...reasoning, ...text, ...refusal, ...calls],
      finishReason: calls.length > 0 && finish === 'stop' ? 'tool_calls' : finish,
    })),
  )
