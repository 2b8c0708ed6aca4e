import fc from 'fast-check'
import { base64, jsonObject, list, name, object, ratio, schema, some, text, url } from './arbitraries.ts'

const is = <const Value>(value: Value) => fc.constant(value)
const mark = object({ type: is('ephemeral') }, { ttl: fc.constantFrom('5m', '1h') })
const marked = { cache_control: mark }

const textBlock = object({ type: is('text'), text }, marked)
const image = object(
  {
    type: is('image'),
    source: fc.oneof(
      object({ type: is('base64'), media_type: fc.constantFrom('image/png', 'image/webp'), data: base64 }),
      object({ type: is('url'), url }),
    ),
  },
  marked,
)
const document = object(
  {
    type: is('document'),
    source: fc.oneof(
      object({ type: is('base64'), media_type: is('application/pdf'), data: base64 }),
      object({ type: is('text'), media_type: is('text/plain'), data: text }),
      object({ type: is('url'), url }),
    ),
  },
  { title: text, ...marked },
)
const shown = fc.oneof(textBlock, image, document)
const thinking = fc.oneof(
  object({ type: is('thinking'), thinking: text, signature: text }),
  object({ type: is('redacted_thinking'), data: text }),
)
const call = object({ type: is('tool_use'), id: is('call'), name, input: jsonObject }, marked)
const result = object(
  { type: is('tool_result'), tool_use_id: is('call'), content: fc.oneof(text, list(shown)) },
  { is_error: fc.boolean(), ...marked },
)

const asked = object({ role: is('user'), content: fc.oneof(text, list(shown)) })
const answered = object({ role: is('assistant'), content: fc.oneof(text, list(fc.oneof(textBlock, thinking))) })
const instructed = object({ role: is('system'), content: fc.oneof(text, list(textBlock)) })
/** Two turns: results follow their calls. */
const worked = fc
  .tuple(
    fc.array(fc.oneof(textBlock, thinking), { maxLength: 2 }),
    call,
    list(result),
    fc.array(shown, { maxLength: 2 }),
  )
  .map(([said, called, results, more]) => [
    { role: 'assistant', content: [...said, called] },
    { role: 'user', content: [...results, ...more] },
  ])

/** A conversation in which both sides take turns, so that nothing of it can be put in a simpler way. */
const inTurns = fc
  .tuple(asked, fc.array(fc.oneof(fc.tuple(answered, asked), worked), { maxLength: 2 }), fc.option(answered))
  .map(([first, rest, last]) => [first, ...rest.flat(), ...(last ? [last] : [])] as object[])
  // A turn ends in results, and the next begins with a question: both are the user's.
  .filter((turns) => turns.every((turn, i) => roleOf(turn) !== roleOf(turns[i - 1])))

const inAnyOrder = fc
  .array(fc.oneof(fc.tuple(asked), fc.tuple(answered), fc.tuple(instructed), worked), { minLength: 1, maxLength: 4 })
  .map((turns) => turns.flat() as object[])

const roleOf = (turn: object | undefined) => (turn as { role?: string } | undefined)?.role

const tools = fc.uniqueArray(
  object({ name, input_schema: schema }, { description: text, strict: fc.boolean(), ...marked }),
  {
    selector: (tool) => tool.name,
    minLength: 1,
    maxLength: 3,
  },
)

const together = { disable_parallel_tool_use: fc.boolean() }
const choosing = tools.chain((each) =>
  object(
    { tools: is(each) },
    {
      tool_choice: fc.oneof(
        object({ type: fc.constantFrom('auto', 'any') }, together),
        object({ type: is('tool'), name: fc.constantFrom(...each.map((tool) => tool.name)) }, together),
        object({ type: is('none') }),
      ),
    },
  ),
)

const display = { display: fc.constantFrom('summarized', 'omitted') }
const options = some<Record<string, unknown>>({
  model: name,
  system: fc.oneof(text, list(textBlock)),
  temperature: ratio,
  top_p: ratio,
  top_k: fc.nat(1_000),
  stop_sequences: list(text),
  thinking: fc.oneof(
    object({ type: is('enabled'), budget_tokens: fc.integer({ min: 1_024, max: 4_999 }) }, display),
    object({ type: is('adaptive') }, display),
    object({ type: fc.constantFrom('between_tools', 'disabled') }),
  ),
  metadata: object({ user_id: text }),
  service_tier: is('standard_only'),
  output_config: fc.oneof(
    object({ effort: fc.constantFrom('low', 'max') }, { format: object({ type: is('json_schema'), schema }) }),
    object({ format: object({ type: is('json_schema'), schema }) }),
  ),
})

const requestOf = (messages: fc.Arbitrary<object[]>) =>
  fc
    .tuple(messages, options, fc.option(choosing))
    .map(
      ([turns, rest, chosen]) =>
        ({ max_tokens: 5_000, messages: turns, ...rest, ...chosen }) as Record<string, unknown>,
    )

/** Requests of which a round trip leaves every word where it is. */
export const plainRequest = requestOf(inTurns)

/** Requests with turns in any order. */
export const anyRequest = requestOf(inAnyOrder)
