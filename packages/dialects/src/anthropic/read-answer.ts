import { type ChoiceResult, type Usage, gather } from '@weir/contracts'
import { fieldsOf } from '../fields.ts'
import { createEventReader, finishOf } from './event-reader.ts'
import { readUsage } from './usage.ts'

/**
 * A whole answer of a backend: read as the stream of it would be, so that both mean the same. Without a stop reason it is
 * not whole, and there is no choice, nor is there one where the reading failed.
 */
export function readAnswer(body: unknown): { choices: ChoiceResult[]; usage: Usage | undefined } {
  const message = fieldsOf(body) ?? {}
  const choices: ChoiceResult[] = []
  const { content, stop_reason: reason, stop_sequence: sequence } = message
  if (!Array.isArray(content) || typeof reason !== 'string') return { choices, usage: readUsage(message['usage']) }

  const reader = createEventReader()
  for (const [index, content_block] of content.entries())
    for (const type of ['content_block_start', 'content_block_stop'])
      for (const chunk of reader.read({ data: JSON.stringify({ type, index, content_block }) }))
        if (chunk.type !== 'usage') gather(choices, chunk)
  if (reader.failure) return { choices: [], usage: readUsage(message['usage']) }
  gather(choices, finishOf(reason, sequence))
  return { choices, usage: readUsage(message['usage']) }
}
