export type Mode = 'plain' | 'stream'

/** What one slice of the measurement sends, and what it must get back. */
export type Workload = { mode: Mode; connections: number; text: string; model?: string }

export const titleOf = ({ mode, connections }: Pick<Workload, 'mode' | 'connections'>): string =>
  `${mode === 'plain' ? 'plain' : 'streamed'}, ${connections} connection${connections === 1 ? '' : 's'}`

/** The same request for every side. */
export function bodyOf({ mode, model = 'mock' }: Pick<Workload, 'mode' | 'model'>): string {
  const messages = [{ role: 'user', content: 'Say something short about rivers.' }]
  const streaming = mode === 'stream' ? { stream: true, stream_options: { include_usage: true } } : {}
  return JSON.stringify({ model, messages, max_tokens: 4096, ...streaming })
}
