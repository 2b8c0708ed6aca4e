import { type Chunk, type ChoiceResult, type Usage, gather } from '@weir/contracts'
import { createChoiceReader } from './choice-reader.ts'
import { usageIn } from './event-reader.ts'
import { fieldsOf, listOf } from './fields.ts'

/** Reads a chat completion that came whole, as leniently as one that is streamed. A choice that has failed is left out. */
export function readAnswer(body: unknown): { choices: ChoiceResult[]; usage: Usage | undefined } {
  const answer = fieldsOf(body) ?? {}
  const choices: ChoiceResult[] = []
  for (const [place, each] of listOf(answer['choices']).entries()) {
    const choice = fieldsOf(each)
    if (!choice) continue
    const index = Number.isSafeInteger(choice['index']) ? (choice['index'] as number) : place
    const chunks: Chunk[] = []
    if (createChoiceReader(index).read(choice, chunks) === 'failed') continue
    for (const chunk of chunks) if (chunk.type !== 'usage') gather(choices, chunk)
  }
  return { choices, usage: usageIn(answer) }
}
