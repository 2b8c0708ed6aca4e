import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type FileLine, linesOf } from './lines-of.ts'

async function linesIn(bytes: Uint8Array, { cuts = [] as number[], maxBytes = 1_000 } = {}): Promise<FileLine[]> {
  async function* pieces() {
    let from = 0
    for (const cut of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
      yield bytes.subarray(from, Math.max(from, cut))
      from = Math.max(from, cut)
    }
  }
  return Array.fromAsync(linesOf(pieces(), maxBytes))
}

const textsOf = (lines: FileLine[]) => lines.map(({ number, text }) => [number, text])

test('lines end with a newline, with a carriage return before it, or with the file; blank ones are counted and left out', async () => {
  const lines = await linesIn(Buffer.from('{"a":1}\n\n  \r\n{"b":"é"}\r\n{"c":3}'))

  expect(textsOf(lines)).toEqual([
    [1, '{"a":1}'],
    [4, '{"b":"é"}'],
    [5, '{"c":3}'],
  ])
})

test('a byte order mark belongs to no line', async () => {
  const [line] = await linesIn(Buffer.from('\u{feff}{"a":1}\n'))

  expect(line).toMatchObject({ number: 1, startByte: 3, bytes: 7, text: '{"a":1}' })
})

test('a line that is no UTF-8, or too long, is told as such, and the next one is read', async () => {
  const lines = await linesIn(Buffer.concat([Buffer.from([0xff, 0x0a]), Buffer.from(`${'x'.repeat(50)}\n{}\n`)]), {
    maxBytes: 40,
  })

  expect(lines.map(({ text, isTooLong }) => [text, isTooLong])).toEqual([
    [undefined, false],
    [undefined, true],
    ['{}', false],
  ])
})

test('however a file is torn, its lines are the same, and lie where they say', async () => {
  const text = fc.string({ unit: 'binary', maxLength: 20 }).map((line) => line.replaceAll(/[\r\n\u{feff}]/gu, '.'))
  await fc.assert(
    fc.asyncProperty(
      fc.array(text, { maxLength: 10 }),
      fc.array(fc.nat(200), { maxLength: 5 }),
      async (texts, cuts) => {
        const bytes = Buffer.from(texts.join('\n'))
        const lines = await linesIn(bytes, { cuts: cuts.map((cut) => Math.min(cut, bytes.length)) })

        expect(lines).toEqual(await linesIn(bytes))
        for (const { startByte, bytes: length, text } of lines)
          expect(bytes.toString('utf8', startByte, startByte + length)).toBe(text)
      },
    ),
  )
})
