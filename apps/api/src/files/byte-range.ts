/** Bytes of a file from `start` up to `end`, which is exclusive. */
export type ByteRange = { start: number; end: number }

const single = /^bytes=[ \t]*(\d{0,15})-(\d{0,15})[ \t]*$/i

/**
 * The part of a file that a `Range` header asks for (RFC 9110, section 14): undefined where it asks for none, or for what
 * may be answered with the whole, such as several parts; `unsatisfiable` where the file has no such part.
 */
export function byteRangeOf(header: string | undefined, bytes: number): ByteRange | 'unsatisfiable' | undefined {
  const [, first, last] = single.exec(header ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined
  if (first === '')
    return Number(last) > 0 && bytes > 0 ? { start: Math.max(0, bytes - Number(last)), end: bytes } : 'unsatisfiable'
  if (last !== '' && Number(last) < Number(first)) return undefined
  if (Number(first) >= bytes) return 'unsatisfiable'
  return { start: Number(first), end: last === '' ? bytes : Math.min(bytes, Number(last) + 1) }
}
