import { type Chunk, type ChoiceResult, type Usage, gather } from '@weir/contracts'
import { fieldsOf, listOf } from '../fields.ts'
import { createChoiceReader } from './choice-reader.ts'
import { usageIn } from './event-reader.ts'

/**
 * Reads a chat completion that came whole, as leniently as one that is streamed. Where a choice has failed, or has no
 * finish, there is none: what is left is not what was asked for.
 */
export function readAnswer(body: unknown): { choices: ChoiceResult[]; usage: Usage | undefined } {
  const answer = fieldsOf(body) ?? {}
  const choices: ChoiceResult[] = []
  for (const [place, each] of listOf(answer['choices']).entries()) {
    const choice = fieldsOf(each)
    if (!choice) continue
    const index = Number.isSafeInteger(choice['index']) ? (choice['index'] as number) : place
    const reader = createChoiceReader(index)
    const chunks: Chunk[] = []
    if (reader.read(choice, chunks) !== 'read' || !reader.isFinished) return { choices: [], usage: usageIn(answer) }
    for (const chunk of chunks) if (chunk.type !== 'usage') gather(choices, chunk)
  }
  return { choices, usage: usageIn(answer) }
}
