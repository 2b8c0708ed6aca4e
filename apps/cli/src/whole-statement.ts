import { serverFailure } from './failure.ts'

/** More than a closing line is long. */
const TAIL_BYTES = 2_048

const closingLine = {
  csv: /(^|\n),[^,\n]*,closing_balance,[^\n]*\n$/,
  jsonl: /(^|\n)\{"object":"closing_balance",[^\n]*\}\n$/,
}

export type StatementFormat = keyof typeof closingLine

/**
 * Passes a statement on, and throws when it ends without its closing balance. Behind a proxy that speaks HTTP/1.0, an
 * answer that broke off looks like one that has ended.
 */
export async function* wholeStatement(bytes: AsyncIterable<Uint8Array>, format: StatementFormat) {
  let tail: Uint8Array = Buffer.alloc(0)
  for await (const some of bytes) {
    tail = Buffer.concat([tail, some.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES)
    yield some
  }
  if (!closingLine[format].test(Buffer.from(tail).toString()))
    throw serverFailure('The statement ends without its closing balance: what came is not whole.')
}
