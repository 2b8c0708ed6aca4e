import type { Chunk } from '@weir/contracts'
import { createEventReader } from '../event-reader.ts'

// Streams as servers send them.

export type Sent = object | string

/** All that a stream says, and how it ended. */
export function readAll(events: readonly Sent[], options?: { choices?: number }) {
  const reader = createEventReader(options)
  const data = events.map((event) => (typeof event === 'string' ? event : JSON.stringify(event)))
  const chunks = data.flatMap((each) => reader.read({ data: each }))
  const { finished, ended, failure } = reader
  return { chunks, finished, ended, failure }
}

export const choice = (fields: object, index?: number) => ({
  choices: [{ ...(index !== undefined && { index }), ...fields }],
})
export const delta = (delta: object, index = 0) => choice({ delta, finish_reason: null }, index)
export const finish = (finish_reason = 'stop', more: object = {}) => choice({ delta: {}, finish_reason, ...more }, 0)
export const text = (text: string, choice = 0): Chunk => ({ type: 'text', choice, text })
export const finished = (reason = 'stop'): Chunk => ({ type: 'finish', choice: 0, reason }) as Chunk
