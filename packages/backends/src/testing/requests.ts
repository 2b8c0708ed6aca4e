import type { Chunk, CompletionRequest, Target } from '@weir/contracts'

export const target: Target = { backend: 'upstream', model: 'small' }

export const requestOf = (overrides: Partial<CompletionRequest> = {}): CompletionRequest => ({
  model: 'fast',
  messages: [{ role: 'user', content: 'Why do rivers bend?' }],
  maxOutputTokens: 100,
  stream: false,
  ...overrides,
})

export const never = (): AbortSignal => new AbortController().signal

/** All chunks, and what was thrown after them. */
export async function collect(stream: AsyncIterable<Chunk>): Promise<{ chunks: Chunk[]; error: unknown }> {
  const chunks: Chunk[] = []
  try {
    for await (const chunk of stream) chunks.push(chunk)
    return { chunks, error: undefined }
  } catch (error) {
    return { chunks, error }
  }
}

export const textOf = (chunks: Chunk[]): string =>
  chunks.map((chunk) => (chunk.type === 'text' ? chunk.text : '')).join('')
