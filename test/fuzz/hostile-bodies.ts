import { MODEL } from './dialects.ts'

const MEGABYTE = 1_048_576

const asking = (content: unknown, more: object = {}) =>
  JSON.stringify({ model: MODEL, max_tokens: 5, messages: [{ role: 'user', content }], ...more })

const nested = (open: string, close: string, levels: number) => open.repeat(levels) + close.repeat(levels)
/** A whole request and then more, as text that no object of ours could be written as. */
const andThen = (json: string) =>
  `{"model":"${MODEL}","max_tokens":5,"messages":[{"role":"user","content":"Hi"}],${json}}`

export type Hostile = {
  why: string
  body: string | Uint8Array<ArrayBuffer>
  headers?: Record<string, string>
  /** What it may be answered with; a 4xx where absent. */
  statuses?: number[]
}

const harmless = [200, 400]

/** What no client sends by mistake. */
export const hostileBodies: readonly Hostile[] = [
  { why: 'ten thousand arrays, one in another', body: nested('[', ']', 10_000) },
  { why: 'ten thousand objects, one in another', body: `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}` },
  {
    why: 'a schema of ten thousand levels',
    body: andThen(`"response_format":${'{"type":'.repeat(10_000)}1${'}'.repeat(10_000)}`),
  },
  {
    why: 'a tool of ten thousand levels',
    body: andThen(`"tools":[{"name":"a","input_schema":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}]`),
  },
  {
    why: 'content of ten thousand levels',
    body: andThen(`"messages":[{"role":"user","content":${nested('[', ']', 10_000)}}]`),
  },
  { why: 'a million arrays, one in another', body: nested('[', ']', 1_000_000) },
  { why: 'a million messages', body: andThen(`"messages":[${'{},'.repeat(999_999)}{}]`) },
  { why: 'a million parts', body: andThen(`"messages":[{"role":"user","content":[${'{},'.repeat(999_999)}{}]}]`) },
  { why: 'a million numbers for stop', body: andThen(`"stop":[${'1,'.repeat(999_999)}1]`) },
  { why: 'a hundred thousand tools', body: andThen(`"tools":[${'{},'.repeat(99_999)}{}]`) },
  { why: 'a hundred thousand fields', body: andThen(Array.from({ length: 100_000 }, (_, i) => `"f${i}":1`).join()) },
  { why: 'a field with a name of a megabyte', body: andThen(`"${'f'.repeat(MEGABYTE)}":1`) },
  { why: 'half a character in the content', body: asking('a \ud800 b'), statuses: harmless },
  { why: 'half a character in the name of the model', body: asking('Hi', { model: '\udfff' }) },
  { why: 'half a character in the name of a field', body: asking('Hi', { '\ud800': 1 }) },
  {
    why: 'half a character in metadata',
    body: asking('Hi', { metadata: { user_id: '\ud800' }, store: true }),
    statuses: harmless,
  },
  { why: 'NUL in the content', body: asking('a \0 b', { store: true }), statuses: harmless },
  { why: 'NUL in the name of the model', body: asking('Hi', { model: '\0' }) },
  { why: '__proto__', body: andThen('"__proto__":{"polluted":true}') },
  {
    why: '__proto__ in a message',
    body: andThen('"messages":[{"role":"user","content":"Hi","__proto__":{"role":"system"}}]'),
  },
  { why: 'constructor', body: andThen('"constructor":{"prototype":{"polluted":true}}') },
  { why: 'toString as a role', body: andThen('"messages":[{"role":"toString","content":"Hi"}]') },
  { why: '__proto__ as the model', body: asking('Hi', { model: '__proto__' }) },
  { why: 'the same field twice', body: andThen('"max_tokens":6,"max_tokens":7'), statuses: harmless },
  { why: 'messages twice', body: andThen('"messages":[]') },
  { why: 'a byte order mark', body: `\ufeff${asking('Hi')}`, statuses: harmless },
  { why: 'a number beyond all numbers', body: andThen('"temperature":1e999') },
  { why: 'a number of a megabyte', body: andThen(`"temperature":${'9'.repeat(MEGABYTE)}`) },
  { why: 'an integer beyond integers', body: andThen('"top_k":9007199254740993') },
  { why: 'minus zero', body: andThen('"temperature":-0'), statuses: harmless },
  { why: 'more tokens than can be counted', body: asking('Hi', { max_tokens: 1e300 }) },
  {
    why: 'bytes that are no UTF-8',
    body: Uint8Array.from([...Buffer.from('{"model":"'), 0xff, 0xfe, 0xc0, ...Buffer.from('"}')]),
  },
  { why: 'JSON cut off', body: asking('Hi').slice(0, -3) },
  { why: 'nothing', body: '' },
  { why: 'null', body: 'null' },
  { why: 'two bodies', body: asking('Hi') + asking('Hi') },
  { why: 'what JavaScript has and JSON has not', body: '{model: NaN}' },
  { why: 'another content type', body: asking('Hi'), headers: { 'content-type': 'text/plain' } },
  { why: 'a form', body: 'model=fuzz', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
  { why: 'a content type of nobody', body: asking('Hi'), headers: { 'content-type': '/;;;' } },
  {
    why: 'JSON that says it is compressed',
    body: asking('Hi'),
    headers: { 'content-encoding': 'gzip' },
    statuses: [200, 400, 415],
  },
  {
    why: 'another charset',
    body: asking('Hi'),
    headers: { 'content-type': 'application/json; charset=utf-16' },
    statuses: [200, 400, 415],
  },
  {
    why: 'a regular expression that never ends',
    body: asking('Hi', { tools: [{ name: `${'a'.repeat(50_000)}!`, input_schema: {} }] }),
  },
]

/** Large, and sent more than once to see what remains of them. A ledger that is busy elsewhere may not take the first in time. */
export const largeBodies: readonly Hostile[] = [
  { why: 'a text of nearly twenty megabytes', body: asking('word '.repeat(3.9 * MEGABYTE)), statuses: [200, 400, 503] },
  { why: 'a model of nineteen megabytes', body: asking('Hi', { model: 'x'.repeat(19 * MEGABYTE) }), statuses: [400] },
  { why: 'megabytes of escapes', body: andThen(`"temperature":"${'\\u0041'.repeat(3 * MEGABYTE)}"`), statuses: [400] },
]

/** More than any body may have. A client that is still sending may find the connection gone instead of the answer. */
export const tooLarge: Hostile = { why: 'too large', body: asking('x'.repeat(33 * MEGABYTE)), statuses: [413] }
