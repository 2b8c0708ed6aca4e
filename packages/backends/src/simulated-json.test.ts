import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { expect, test } from 'vitest'
import { createDice } from './simulated-dice.ts'
import { jsonFor } from './simulated-json.ts'
import { WORDS } from './simulated-text.ts'

const written = (schema: Record<string, unknown>, seed = 1) => [...jsonFor(schema, createDice(seed), WORDS)].join('')

function expectValid(schema: Record<string, unknown>): void {
  const ajv = new Ajv2020({ strict: false, logger: false })
  formats.default(ajv)
  const isValid = ajv.compile(schema)
  for (let seed = 0; seed < 20; seed += 1) {
    const value: unknown = JSON.parse(written(schema, seed))
    expect(isValid(value), `${JSON.stringify(value)}: ${JSON.stringify(isValid.errors)}`).toBe(true)
  }
}

const string = { type: 'string' }
const node = (next: object) => ({
  $defs: { node: { type: 'object', properties: { name: string, next }, required: ['name', 'next'] } },
  $ref: '#/$defs/node',
})

test.each<[string, Record<string, unknown>]>([
  [
    'every type',
    {
      type: 'object',
      properties: {
        a: string,
        b: { type: 'integer' },
        c: { type: 'boolean' },
        d: { type: 'null' },
        e: { type: 'array', items: { type: 'number' } },
      },
      required: ['a'],
    },
  ],
  ['a type or null', { type: ['null', 'integer'] }],
  ['one of some values', { enum: ['a', 2, null, { b: 'ü"🏞️' }] }],
  ['values of a type', { type: 'string', enum: [1, 'a'] }],
  ['a constant', { type: 'object', properties: { kind: { const: 'lock' } }, required: ['kind'] }],
  [
    'limits of numbers',
    {
      type: 'array',
      prefixItems: [
        { type: 'integer', minimum: 7, maximum: 9 },
        { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 },
        { type: 'integer', multipleOf: 7, minimum: 50 },
        { type: 'number', multipleOf: 0.1, minimum: 0.25, maximum: 1 },
        { type: 'integer', maximum: -5 },
        { type: 'number', exclusiveMinimum: 3, maximum: 4 },
      ],
      minItems: 6,
    },
  ],
  [
    'limits of strings',
    {
      type: 'array',
      prefixItems: [
        { type: 'string', maxLength: 3 },
        { type: 'string', minLength: 100 },
        { type: 'string', minLength: 4, maxLength: 4 },
      ],
      minItems: 3,
    },
  ],
  ['limits of lists', { type: 'array', items: string, minItems: 3, maxItems: 3 }],
  ['an empty list', { type: 'array', items: string, maxItems: 0 }],
  [
    'items that differ',
    {
      type: 'object',
      properties: {
        a: { type: 'array', items: { type: 'integer', minimum: 3 }, uniqueItems: true, minItems: 200 },
        b: { type: 'array', items: string, uniqueItems: true, minItems: 9 },
        c: { type: 'array', items: { enum: ['x', 'y', 'z'] }, uniqueItems: true, minItems: 3 },
        d: {
          type: 'array',
          items: { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] },
          uniqueItems: true,
          minItems: 3,
        },
      },
    },
  ],
  [
    'formats',
    {
      type: 'array',
      prefixItems: ['date-time', 'date', 'time', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uri', 'uuid'].map(
        (format) => ({ type: 'string', format }),
      ),
      minItems: 10,
    },
  ],
  [
    'properties without a schema',
    { type: 'object', required: ['x', '__proto__'], additionalProperties: { type: 'integer' }, minProperties: 4 },
  ],
  ['nothing else allowed', { type: 'object', properties: { a: string }, required: ['a'], additionalProperties: false }],
  [
    'names that need care',
    {
      type: 'object',
      properties: JSON.parse('{"__proto__":{"type":"integer"},"a\\"b\\n":{"type":"string"},"ü🏞️":{"type":"string"}}'),
      required: ['__proto__'],
    },
  ],
  [
    'references',
    { type: 'array', items: { $ref: '#/$defs/a~1b%20c' }, $defs: { 'a/b c': { type: 'integer' } }, minItems: 2 },
  ],
  [
    'all of several',
    {
      allOf: [
        { type: 'object', properties: { a: { type: 'number', minimum: 5 } } },
        { properties: { a: { type: 'integer', maximum: 5 } }, required: ['a'] },
      ],
    },
  ],
  ['any of several', { anyOf: [{ type: 'null' }, { type: 'object', properties: { a: string }, required: ['a'] }] }],
  [
    'one of several, each named',
    {
      type: 'object',
      oneOf: [
        { properties: { kind: { const: 'a' } }, required: ['kind'] },
        { properties: { kind: { const: 'b' } }, required: ['kind'] },
      ],
    },
  ],
  ['a chain that may end', node({ anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] })],
  [
    'a tree',
    { type: 'object', properties: { children: { type: 'array', items: { $ref: '#' } } }, required: ['children'] },
  ],
  ['no type', { properties: { a: { minimum: 3 }, b: { items: string }, c: { minLength: 2 }, d: {} } }],
  [
    'limits beyond what is counted',
    {
      type: 'array',
      prefixItems: [
        { type: 'number', minimum: 1e308 },
        { type: 'number', exclusiveMinimum: 1e308 },
        { type: 'number', exclusiveMaximum: -1e308 },
        { type: 'number', minimum: -1e308, maximum: 1.7e308 },
        { type: 'number', maximum: -1, multipleOf: 1e308 },
        { type: 'array', items: { type: 'number', minimum: 1e300 }, uniqueItems: true, minItems: 3 },
      ],
      minItems: 6,
    },
  ],
  [
    'patterns',
    {
      type: 'array',
      prefixItems: [
        { type: 'string', pattern: '^[A-Z]{3}-\\d+$' },
        { type: 'string', pattern: '^(?:red|green|(?<light>light-)?blue)$' },
        { type: 'string', pattern: '^[a-z]+$', minLength: 20, maxLength: 30 },
        { type: 'string', pattern: '^[a-z]*$', maxLength: 0 },
        { type: 'string', pattern: 'x[^a-z\\s]?.\\w$' },
        { pattern: '^\\+?[0-9]{7,15}$' },
        { type: 'string', pattern: '^$' },
      ],
      minItems: 7,
    },
  ],
  ['a pattern with an example', { type: 'string', pattern: '^[A-Z]{3}-\\d+$', examples: ['ABC-1'] }],
  [
    'deep nesting',
    Array.from({ length: 30 }).reduce<Record<string, unknown>>(
      (inner) => ({ type: 'object', properties: { a: inner }, required: ['a'] }),
      { type: 'integer' },
    ),
  ],
])('what is written for %s is valid', (_what, schema) => {
  expectValid(schema)
})

test('the same dice write the same, others something else', () => {
  const schema = { type: 'object', properties: { a: { type: 'integer' }, b: { type: 'integer' } } }
  expect(written(schema, 1)).toBe(written(schema, 1))
  expect(new Set([1, 2, 3, 4].map((seed) => written(schema, seed))).size).toBeGreaterThan(1)
})

test('without a schema an object is written', () => {
  expect(JSON.parse([...jsonFor(undefined, createDice(1), WORDS)].join(''))).toHaveProperty('answer')
})

test.each<[string, Record<string, unknown>]>([
  ['a billion items', { type: 'array', items: { type: 'integer' }, minItems: 1e9 }],
  ['a billion letters', { type: 'string', minLength: 1e9 }],
  ['a billion properties', { type: 'object', minProperties: 1e9 }],
])('a schema that asks for %s costs as much as what is taken of it', (_what, schema) => {
  expect([...jsonFor(schema, createDice(1), WORDS).take(5_000)]).toHaveLength(5_000)
})

test.each<[string, Record<string, unknown>]>([
  ['what has no end', { type: 'object', properties: { a: { $ref: '#' } }, required: ['a'] }],
  ['what refers to itself', { $ref: '#' }],
  ['what refers to nothing', { $ref: '#/$defs/gone', allOf: [{ $ref: 'https://example.com/' }] }],
  ['what unfolds', unfolding(20)],
  [
    'more numbers than there are',
    { type: 'array', items: { type: 'integer', minimum: 1, maximum: 2 }, uniqueItems: true, minItems: 50 },
  ],
  ['nonsense', { type: 7, enum: [], properties: [], required: 'a', minItems: 'x', anyOf: {}, multipleOf: 0 }],
  ['numbers that are hardly any', { type: 'number', minimum: -1e308, maximum: 1.7e308, multipleOf: 1e-300 }],
  ['a pattern of nothing, very often', { type: 'string', pattern: '^((){999999999}){999999999}$' }],
  ['a pattern without end', { type: 'string', pattern: '^((a{99999}){99999})$' }],
  ['a pattern that is none', { type: 'string', pattern: '(?!(' }],
  ['a pattern that looks around', { type: 'string', pattern: '^(?=a)\\bb$' }],
  ['a pattern of any language', { type: 'string', pattern: '^\\p{L}+$' }],
  ['a text that no pattern is long enough for', { type: 'string', pattern: '^a*$', minLength: 3_000 }],
  ['numbers without end', { type: 'number', minimum: Infinity, multipleOf: Infinity }],
])('%s is written as JSON all the same', (_what, schema) => {
  expect(() => JSON.parse(written(schema)) as unknown).not.toThrow()
})

/** Each definition is all of the next one, four times over. */
function unfolding(levels: number): Record<string, unknown> {
  const $defs: Record<string, unknown> = {}
  for (let level = 0; level < levels; level += 1) {
    const next = { $ref: `#/$defs/d${level + 1}` }
    $defs[`d${level}`] = {
      type: 'object',
      properties: { a: next, b: { allOf: [next, { ...next }] }, c: next },
      required: ['a', 'b', 'c'],
    }
  }
  return { $ref: '#/$defs/d0', $defs }
}
