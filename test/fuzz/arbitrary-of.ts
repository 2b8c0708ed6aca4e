import type { anthropic, openai } from '@weir/dialects'
import fc from 'fast-check'

/** As much of a JSON schema as zod writes. */
type JsonSchema = {
  type?: 'string' | 'number' | 'integer' | 'boolean' | 'null' | 'array' | 'object'
  const?: unknown
  enum?: unknown[]
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  allOf?: JsonSchema[]
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: boolean | JsonSchema
  propertyNames?: JsonSchema
  items?: JsonSchema
  minItems?: number
  minLength?: number
  maxLength?: number
  pattern?: string
  minimum?: number
  maximum?: number
}

/** What a field holds whose rule the shape does not tell, by its name. */
export type Known = Record<string, fc.Arbitrary<unknown>>

const LONGEST_LIST = 3
const LONGEST_TEXT = 24

type HasShape = (typeof openai)['ChatCompletionRequest'] | (typeof anthropic)['MessagesRequest']

/** Bodies of the shape that a zod schema describes. Rules between its fields are not in its shape: ask the schema. */
export function arbitraryOf(schema: HasShape, known: Known): fc.Arbitrary<Record<string, unknown>> {
  const shape = schema.toJSONSchema({ io: 'input', unrepresentable: 'any', reused: 'inline' }) as JsonSchema
  return ofObject(shape, known) as fc.Arbitrary<Record<string, unknown>>
}

function ofShape(shape: JsonSchema, known: Known): fc.Arbitrary<unknown> | undefined {
  if ('const' in shape) return fc.constant(shape.const)
  if (shape.enum) return fc.constantFrom(...shape.enum)
  const choices = shape.anyOf ?? shape.oneOf
  if (choices) {
    const members = choices.map((each) => ofShape(each, known)).filter((each) => each !== undefined)
    return members.length === 0 ? undefined : fc.oneof(...members)
  }
  switch (shape.type) {
    case 'string':
      return ofText(shape)
    case 'integer':
      return ofInteger(shape)
    case 'number':
      return fc.double({ min: shape.minimum ?? -1e6, max: shape.maximum ?? 1e6, noNaN: true })
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'array': {
      const items = ofShape(shape.items ?? {}, known)
      return items && fc.array(items, { minLength: shape.minItems ?? 0, maxLength: LONGEST_LIST })
    }
    case 'object':
      return ofObject(shape, known)
    case undefined:
      // What has no type is refused whatever it is, or is anything at all.
      return undefined
  }
}

const ofInteger = ({ minimum = -1_000, maximum = Infinity }: JsonSchema): fc.Arbitrary<number> => {
  const min = Math.max(minimum, -1_000)
  return fc.integer({ min, max: Math.min(maximum, min + 2_000) })
}

function ofText({ pattern, minLength = 0, maxLength = LONGEST_TEXT }: JsonSchema): fc.Arbitrary<string> {
  if (pattern !== undefined)
    return fc.stringMatching(new RegExp(pattern), { maxLength: Math.min(maxLength, LONGEST_TEXT) })
  return fc.string({ unit: 'grapheme', minLength, maxLength: Math.min(maxLength, LONGEST_TEXT) })
}

function ofObject(shape: JsonSchema, known: Known): fc.Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties: more, propertyNames } = shape
  if (Object.keys(properties).length === 0 && typeof more === 'object') {
    const values = ofShape(more, known) ?? fc.jsonValue({ maxDepth: 2 })
    return fc.dictionary(ofText(propertyNames ?? { minLength: 1 }), values, { maxKeys: LONGEST_LIST })
  }
  const fields = Object.entries(properties).map(([name, each]) => {
    const value = known[name] ?? ofShape(each, known)
    return [name, value, required.includes(name)] as const
  })
  const must = fields.filter(([, value, isRequired]) => isRequired && value)
  const may = fields.filter(([, value, isRequired]) => !isRequired && value)
  const modelOf = (list: typeof fields) => Object.fromEntries(list.map(([name, value]) => [name, value!]))
  // A few of the optional fields at a time: all of them together seldom agree.
  return fc
    .tuple(
      fc.record(modelOf(must)),
      fc.subarray(may, { maxLength: Math.min(4, may.length) }).chain((some) => fc.record(modelOf(some))),
    )
    .map(([always, sometimes]) => ({ ...always, ...sometimes }))
}
