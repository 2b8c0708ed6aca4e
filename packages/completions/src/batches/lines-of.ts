/** A line of a file: its number from 1, where it lies, and its text; undefined where it is no UTF-8, or too long to be one. */
export type FileLine = {
  number: number
  startByte: number
  bytes: number
  text: string | undefined
  isTooLong: boolean
}

const NEWLINE = 0x0a
const RETURN = 0x0d
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf]

/**
 * The lines of a file that arrives in pieces, without those that are blank. Of a line of more than `maxBytes` no more than
 * that is held.
 */
export async function* linesOf(source: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<FileLine> {
  let number = 0
  let startByte = 0
  let pieces: Uint8Array[] = []
  let held = 0
  let bytes = 0

  const take = (piece: Uint8Array) => {
    bytes += piece.length
    if (bytes > maxBytes) pieces = []
    else pieces.push(piece)
    held = pieces.length
  }
  function* end(ending: number): Generator<FileLine> {
    number++
    const isTooLong = bytes > maxBytes
    const whole = held === 1 ? pieces[0]! : Buffer.concat(pieces)
    const skipped = startByte === 0 && BYTE_ORDER_MARK.every((byte, i) => whole[i] === byte) ? 3 : 0
    const length = whole.at(-1) === RETURN ? whole.length - 1 : whole.length
    const line = { number, startByte: startByte + skipped, bytes: isTooLong ? bytes : length - skipped, isTooLong }
    if (isTooLong) yield { ...line, text: undefined }
    else {
      const text = textOf(whole.subarray(skipped, length))
      if (text === undefined || text.trim() !== '') yield { ...line, text }
    }
    startByte += bytes + ending
    pieces = []
    held = 0
    bytes = 0
  }

  for await (const chunk of source) {
    let from = 0
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      take(chunk.subarray(from, at))
      yield* end(1)
      from = at + 1
    }
    if (from < chunk.length) take(chunk.subarray(from))
  }
  if (bytes > 0) yield* end(0)
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}
