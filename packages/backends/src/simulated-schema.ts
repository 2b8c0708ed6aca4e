import type { JsonObject } from '@weir/contracts'

/** What has to be true of one value: all that its schema says of it, wherever it says it. */
export type Shape = {
  types: string[] | undefined
  options: unknown[] | undefined
  properties: Map<string, unknown[]>
  required: Set<string>
  /** Of properties that have no schema of their own; `false` where there may be none. */
  others: unknown
  minProperties: number
  prefixItems: unknown[][]
  items: unknown[]
  minItems: number
  maxItems: number
  isUnique: boolean
  minimum: number
  maximum: number
  above: number
  below: number
  multipleOf: number | undefined
  minLength: number
  maxLength: number
  format: string | undefined
  pattern: string | undefined
  examples: unknown[]
}

/** How far references and alternatives are followed, over a whole answer: a small schema can be made to unfold forever. */
export type Fuel = { left: number }

const MOST_HOPS = 8

/** The shape that a value must have which has to satisfy all of these schemas. Of alternatives one is chosen. */
export function shapeOf(schemas: readonly unknown[], root: unknown, fuel: Fuel, isDeep: boolean): Shape {
  const shape = emptyShape()
  const seen = new Set<unknown>()
  const open = [...schemas]
  while (open.length > 0 && fuel.left > 0) {
    const schema = open.shift()
    if (!isObject(schema) || seen.has(schema)) continue
    seen.add(schema)
    fuel.left -= 1
    narrow(shape, schema)
    if (typeof schema['$ref'] === 'string') open.push(resolved(root, schema['$ref']))
    open.push(...fewOf(schema['allOf']))
    for (const word of ['anyOf', 'oneOf']) {
      const chosen = chosenOf(fewOf(schema[word]), root, isDeep)
      if (chosen !== undefined) open.push(chosen)
    }
  }
  return shape
}

const emptyShape = (): Shape => ({
  types: undefined,
  options: undefined,
  properties: new Map(),
  required: new Set(),
  others: undefined,
  minProperties: 0,
  prefixItems: [],
  items: [],
  minItems: 0,
  maxItems: Infinity,
  isUnique: false,
  minimum: -Infinity,
  maximum: Infinity,
  above: -Infinity,
  below: Infinity,
  multipleOf: undefined,
  minLength: 0,
  maxLength: Infinity,
  format: undefined,
  pattern: undefined,
  examples: [],
})

function narrow(shape: Shape, schema: JsonObject): void {
  narrowType(shape, schema)
  narrowObject(shape, schema)
  narrowArray(shape, schema)
  shape.minimum = Math.max(shape.minimum, numberOr(schema['minimum'], -Infinity))
  shape.maximum = Math.min(shape.maximum, numberOr(schema['maximum'], Infinity))
  shape.above = Math.max(shape.above, numberOr(schema['exclusiveMinimum'], -Infinity))
  shape.below = Math.min(shape.below, numberOr(schema['exclusiveMaximum'], Infinity))
  if (Number.isFinite(schema['multipleOf'])) shape.multipleOf = schema['multipleOf'] as number
  shape.minLength = Math.max(shape.minLength, numberOr(schema['minLength'], 0))
  shape.maxLength = Math.min(shape.maxLength, numberOr(schema['maxLength'], Infinity))
  if (typeof schema['format'] === 'string') shape.format = schema['format']
  if (typeof schema['pattern'] === 'string') shape.pattern = schema['pattern']
  shape.examples.push(...listOf(schema['examples']).slice(0, 1), ...('default' in schema ? [schema['default']] : []))
}

function narrowType(shape: Shape, schema: JsonObject): void {
  const { type } = schema
  const types = typeof type === 'string' ? [type] : listOf(type).filter((each) => typeof each === 'string')
  if (types.length > 0) shape.types = shape.types ? inBoth(shape.types, types) : types

  const given = 'const' in schema ? [schema['const']] : schema['enum']
  if (!Array.isArray(given)) return
  if (!shape.options) {
    shape.options = given
    return
  }
  const texts = new Set(given.map((each) => JSON.stringify(each)))
  shape.options = shape.options.filter((each) => texts.has(JSON.stringify(each)))
}

/** Whole numbers are numbers. */
function inBoth(one: readonly string[], other: readonly string[]): string[] {
  const fits = (type: string, types: readonly string[]) =>
    types.includes(type) || (type === 'integer' && types.includes('number'))
  return [...one.filter((type) => fits(type, other)), ...other.filter((type) => fits(type, one))]
}

function narrowObject(shape: Shape, schema: JsonObject): void {
  if (isObject(schema['properties'])) {
    for (const [name, property] of Object.entries(schema['properties'])) {
      const known = shape.properties.get(name)
      if (known) known.push(property)
      else shape.properties.set(name, [property])
    }
  }
  for (const name of listOf(schema['required'])) if (typeof name === 'string') shape.required.add(name)
  if (schema['additionalProperties'] !== undefined) shape.others = schema['additionalProperties']
  shape.minProperties = Math.max(shape.minProperties, numberOr(schema['minProperties'], 0))
}

function narrowArray(shape: Shape, schema: JsonObject): void {
  const { items } = schema
  // Older schemas list the first items under `items`.
  for (const [index, item] of listOf(Array.isArray(items) ? items : schema['prefixItems']).entries()) {
    ;(shape.prefixItems[index] ??= []).push(item)
  }
  if (Array.isArray(items)) shape.items.push(schema['additionalItems'])
  else if (items !== undefined) shape.items.push(items)
  if (items === false) shape.maxItems = Math.min(shape.maxItems, shape.prefixItems.length)
  shape.minItems = Math.max(shape.minItems, numberOr(schema['minItems'], 0))
  shape.maxItems = Math.min(shape.maxItems, numberOr(schema['maxItems'], Infinity))
  shape.isUnique ||= schema['uniqueItems'] === true
}

/** The first alternative; deep inside the plainest, so that what refers to itself comes to an end. */
function chosenOf(branches: readonly unknown[], root: unknown, isDeep: boolean): unknown {
  const ranked = branches.map((branch) => ({ branch, rank: rankOf(branch, root) }))
  if (!isDeep) return (ranked.find(({ rank }) => rank > 0) ?? ranked[0])?.branch
  return ranked.toSorted((one, other) => one.rank - other.rank)[0]?.branch
}

/** From nothing, over single values and lists, to objects. */
function rankOf(branch: unknown, root: unknown): number {
  let schema = branch
  for (let hops = 0; hops < MOST_HOPS && isObject(schema) && typeof schema['$ref'] === 'string'; hops += 1) {
    schema = resolved(root, schema['$ref'])
  }
  if (!isObject(schema)) return 1
  const type = schema['type'] ?? ('properties' in schema ? 'object' : 'items' in schema ? 'array' : 'string')
  return type === 'null' || schema['const'] === null ? 0 : type === 'object' ? 3 : type === 'array' ? 2 : 1
}

/** What a reference within the schema points at: `#/$defs/node`, or `#` itself. */
function resolved(root: unknown, ref: string): unknown {
  if (!ref.startsWith('#')) return undefined
  let at = root
  for (const step of ref.slice(1).split('/').slice(1)) {
    const name = unescaped(step)
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined
    at = (at as JsonObject)[name]
  }
  return at
}

function unescaped(step: string): string {
  const name = step.replaceAll('~1', '/').replaceAll('~0', '~')
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** No schema that people write has more alternatives. */
const fewOf = (value: unknown): unknown[] => listOf(value).slice(0, 256)

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

const numberOr = (value: unknown, other: number): number => (Number.isFinite(value) ? (value as number) : other)
