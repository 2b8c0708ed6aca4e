/** Of every chunk of a file but its last. Files that are there were cut by it: it cannot be changed. */
export const CHUNK_BYTES = 262_144

/**
 * Cuts what comes in pieces of any size into chunks. Each is handed out in the same memory: it is written before the next is
 * asked for.
 */
export async function* chunksOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  let filled = 0
  for await (const piece of source)
    for (let taken = 0; taken < piece.length;) {
      const part = piece.subarray(taken, taken + CHUNK_BYTES - filled)
      chunk.set(part, filled)
      taken += part.length
      filled += part.length
      if (filled < CHUNK_BYTES) continue
      yield chunk
      filled = 0
    }
  if (filled > 0) yield chunk.subarray(0, filled)
}

/** Where bytes lie: so many of this chunk, from this one on. */
export type ChunkPart = { position: number; from: number; count: number }

/** The chunks in which a range of bytes lies, in order. `end` is exclusive. */
export function* chunkPartsOf(start: number, end: number): Generator<ChunkPart> {
  for (let at = start; at < end;) {
    const from = at % CHUNK_BYTES
    const count = Math.min(CHUNK_BYTES - from, end - at)
    yield { position: Math.floor(at / CHUNK_BYTES), from, count }
    at += count
  }
}
