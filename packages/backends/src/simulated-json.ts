import type { JsonObject } from '@weir/contracts'
import type { Dice } from './simulated-dice.ts'
import { type Fuel, type Shape, isObject, shapeOf } from './simulated-schema.ts'
import { numberFor } from './simulated-number.ts'
import { textLike } from './simulated-pattern.ts'
import { formatted, piecesOf } from './simulated-text.ts'

/** Optional properties, and items that need not be, are written down to here. */
const GENEROUS_DEPTH = 4
/** A schema that asks for more nesting gets null: writing it down would take the stack. */
const DEEPEST = 64
const MOST_SCHEMAS = 5_000
const ANYTHING: JsonObject = { type: 'object', properties: { answer: { type: 'string' } }, required: ['answer'] }

type Place = {
  root: unknown
  dice: Dice
  words: readonly string[]
  fuel: Fuel
  /** Shapes that were worked out before, by their schema. */
  known: Map<unknown, Shape>
  depth: number
  /** Of the property that is written. */
  name: string
  /** Of items that must differ: which of them this is. */
  nth: number | undefined
}

/**
 * A value that a JSON schema allows, as the text that a model would write, piece by piece: whoever takes the pieces
 * stops at the output limit, so that a schema which asks for a billion items costs no more than another one. Not
 * understood, as good as not there: `not`, `if`, `contains`, `patternProperties`, dependent schemas.
 */
export function* jsonFor(schema: JsonObject | undefined, dice: Dice, words: readonly string[]): Generator<string> {
  const root = schema === undefined || Object.keys(schema).length === 0 ? ANYTHING : schema
  const known = new Map<unknown, Shape>()
  yield* write([root], { root, dice, words, fuel: { left: MOST_SCHEMAS }, known, depth: 0, name: '', nth: undefined })
}

function* write(schemas: readonly unknown[], place: Place): Generator<string> {
  const shape = shapeAt(schemas, place)
  if (place.depth > DEEPEST || schemas.includes(false)) return yield 'null'
  if (shape.options) return yield* piecesOf(JSON.stringify(optionOf(shape, place)) ?? 'null')
  // What only an example shows how to write, or what is left open.
  if (shape.examples.length > 0 && (shape.pattern !== undefined || typeOf(shape) === undefined)) {
    return yield* piecesOf(JSON.stringify(shape.examples[0]) ?? 'null')
  }
  switch (typeOf(shape) ?? 'string') {
    case 'object':
      return yield* writeObject(shape, place)
    case 'array':
      return yield* writeArray(shape, place)
    case 'string':
      return yield* writeString(shape, place)
    case 'integer':
    case 'number':
      return yield String(numberFor(shape, place.dice, place.nth))
    case 'boolean':
      return yield String((place.nth ?? place.dice(2)) % 2 === 0)
    default:
      return yield 'null'
  }
}

function shapeAt(schemas: readonly unknown[], { root, fuel, known, depth }: Place): Shape {
  const isDeep = depth >= GENEROUS_DEPTH
  // Within generous depth and below it other alternatives are chosen.
  const key = schemas.length === 1 && !isDeep ? schemas[0] : undefined
  const before = key === undefined ? undefined : known.get(key)
  if (before) return before
  const shape = shapeOf(schemas, root, fuel, isDeep)
  if (key !== undefined) known.set(key, shape)
  return shape
}

function optionOf({ options = [], types }: Shape, { dice, nth, depth }: Place): unknown {
  const allowed = types ? options.filter((option) => types.some((type) => isOfType(option, type))) : options
  const usable = allowed.length > 0 ? allowed : options
  // Nothing is chosen for what refers to itself: `null` first, deep inside.
  if (depth >= GENEROUS_DEPTH && usable.includes(null)) return null
  return usable[(nth ?? dice(usable.length || 1)) % usable.length]
}

function isOfType(value: unknown, type: string): boolean {
  if (type === 'null') return value === null
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return isObject(value)
  if (type === 'integer') return Number.isInteger(value)
  return typeof value === type
}

/** What is meant where no type is said: whatever the rest would limit. */
function typeOf(shape: Shape): string | undefined {
  const { types } = shape
  if (types) return types.find((type) => type !== 'null') ?? types[0] ?? 'null'
  if (shape.properties.size > 0 || shape.required.size > 0 || shape.minProperties > 0) return 'object'
  if (shape.items.length > 0 || shape.prefixItems.length > 0 || shape.minItems > 0) return 'array'
  const isNumber = [shape.minimum, shape.maximum, shape.above, shape.below].some(Number.isFinite)
  if (isNumber || shape.multipleOf !== undefined) return 'number'
  return shape.format !== undefined || shape.minLength > 0 ? 'string' : undefined
}

function* writeObject(shape: Shape, place: Place): Generator<string> {
  yield '{'
  let written = 0
  for (const [name, schemas] of propertiesOf(shape, place)) {
    if (written > 0) yield ','
    yield* piecesOf(`${JSON.stringify(name)}:`)
    yield* write(schemas, { ...place, depth: place.depth + 1, name })
    written += 1
  }
  yield '}'
}

function* propertiesOf({ properties, required, others, minProperties }: Shape, { depth }: Place) {
  let written = 0
  for (const [name, schemas] of properties) {
    const isWritable = depth < GENEROUS_DEPTH && !schemas.includes(false)
    if (!required.has(name) && !isWritable) continue
    written += 1
    yield [name, schemas] as const
  }
  const other = isObject(others) ? [others] : [{ type: 'string' }]
  for (const name of required) {
    if (properties.has(name)) continue
    written += 1
    yield [name, other] as const
  }
  if (others === false) return
  for (let number = 1; written < minProperties; number += 1) {
    const name = `property${number}`
    if (properties.has(name) || required.has(name)) continue
    written += 1
    yield [name, other] as const
  }
}

function* writeArray(shape: Shape, place: Place): Generator<string> {
  const { prefixItems, items, minItems, maxItems, isUnique } = shape
  const isGenerous = place.depth < GENEROUS_DEPTH
  const wanted = Math.max(minItems, isGenerous ? Math.max(1, prefixItems.length) : 0)
  const length = Math.min(wanted, maxItems)
  const others = items.length > 0 ? items : [{ type: 'string' }]
  yield '['
  for (let index = 0; index < length; index += 1) {
    if (index > 0) yield ','
    const nth = isUnique ? index : place.nth
    yield* write(prefixItems[index] ?? others, { ...place, depth: place.depth + 1, nth })
  }
  yield ']'
}

function* writeString(shape: Shape, { dice, words, name, nth }: Place): Generator<string> {
  const known =
    formatted(shape.format, nth === undefined ? dice : () => nth % 10) ??
    (shape.pattern === undefined ? undefined : textLike(shape.pattern, shape, dice))
  if (known !== undefined) return yield* piecesOf(JSON.stringify(known))

  const { minLength, maxLength } = shape
  const word = words[dice(words.length)] ?? 'simulated'
  const numbered = nth === undefined ? '' : `${nth} `
  const begin = `${numbered}simulated ${name === '' ? word : name.replaceAll('_', ' ')}`
  yield '"'
  yield* piecesOf(escaped(begin).slice(0, maxLength))
  // In pieces of one size, however many it takes.
  for (let length = begin.length; length < Math.min(minLength, maxLength);) {
    const more = ` ${words[dice(words.length)]}`.slice(0, Math.min(minLength, maxLength) - length)
    yield more
    length += more.length
  }
  yield '"'
}

/** Names may hold what JSON escapes; what is cut to a length must stay whole. */
const escaped = (text: string): string => text.replace(/[^\x20-\x7e]|["\\]/g, '_')
