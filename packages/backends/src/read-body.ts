import type { Readable } from 'node:stream'

/** As much of a body as comes whole, in time and below a limit: enough to tell what went wrong. */
export async function beginningOf(body: Readable, limit: number, timeoutMs: number): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let size = 0
  const timer = setTimeout(() => body.destroy(), timeoutMs)
  try {
    for await (const part of body as AsyncIterable<Uint8Array>) {
      parts.push(part)
      size += part.length
      if (size >= limit) break
    }
  } catch {
    // Broken off or too late: what has come will do.
  } finally {
    clearTimeout(timer)
  }
  return Buffer.concat(parts).subarray(0, limit)
}
