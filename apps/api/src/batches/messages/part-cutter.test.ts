import { expect, test } from 'vitest'
import { type Part, createPartCutter } from './part-cutter.ts'

const cutterOf = (mostBytes = 1_000_000) => createPartCutter(['max_credits'], mostBytes)

/** What the parts are, cut from pieces of this size. */
function partsOf(json: string, size = json.length): unknown[] {
  const cutter = cutterOf()
  const bytes = Buffer.from(json)
  const parts: Part[] = []
  for (let at = 0; at < bytes.length; at += size)
    parts.push(...cutter.write(Buffer.from(bytes.subarray(at, at + size))))
  cutter.end()
  expect(cutter.heldBytes).toBe(0)
  return parts.map((part) => {
    const text = Buffer.from(part.json).toString()
    if (part.kind === 'field') return [part.name, text]
    const { start, end } = part.inner
    return [part.index, JSON.parse(text), Buffer.from(part.json.subarray(start, end)).toString()]
  })
}

const first = '{"custom_id": "a]}", "params": {"x": "\\"é{[\\\\", "y": [[], {}, [1e400]]}}'
const second = '{"params":{\r\n},"custom_id":"b"}'
const body = `\n{ "requests" : [ ${first} ,${second}], "max_\\u0063redits":7 }\n`

test.each([1, 2, 3, 7, 1_000])(
  'a body is cut into its parts, whatever the pieces of %d bytes in which it comes',
  (size) => {
    expect(partsOf(body, size)).toEqual([
      [0, JSON.parse(first), '{"x": "\\"é{[\\\\", "y": [[], {}, [1e400]]}'],
      [1, { params: {}, custom_id: 'b' }, '{  }'],
      ['max_credits', '7'],
    ])
  },
)

test.each([
  ['{"requests": [1 2]}'],
  ['{"requests": [] []}'],
  ['{"requests" []}'],
  ['{requests: []}'],
  ['{"requests": []'],
  ['{"requests": []}}'],
  ['{,}'],
  [''],
])('%s is not taken for a body', (json) => {
  expect(() => partsOf(json, 1)).toThrow('not valid JSON')
})

const inParams = (rest: string) => `{"requests": [{"custom_id": "a", "params": {"x": ${rest}`

test.each([
  ['empty lists', '['.concat('[],'.repeat(200_001)), 'more than 200000 values'],
  ['numbers', '['.concat('1,'.repeat(200_001)), 'more than 200000 values'],
  ['fields', '{'.concat('"":1,'.repeat(190_001)), 'too large'],
  ['brackets', '['.repeat(100), 'levels deep'],
  ['digits', '1'.repeat(500), 'characters'],
  ['bytes', `"${'x'.repeat(900_001)}`, 'too large'],
])('a request with too many %s is refused before it has come to its end', (_, rest, message) => {
  const cutter = cutterOf(900_000)
  expect(() => cutter.write(Buffer.from(inParams(rest)))).toThrow(message)
})

test('as many values as a request may have are cut out', () => {
  const list = `[${'[],'.repeat(199_990)}1]`
  expect(cutterOf().write(Buffer.from(`${inParams(list)}}}`))).toHaveLength(1)
})

test('what comes in pieces of a byte takes no more of the memory than twice its size', () => {
  const cutter = cutterOf(1_000_000)
  cutter.write(Buffer.from(inParams('"')))
  for (let n = 0; n < 300_000; n += 1) cutter.write(Buffer.from('x'))

  expect(cutter.heldBytes).toBeGreaterThan(300_000)
  expect(cutter.heldBytes).toBeLessThan(600_100)
})
