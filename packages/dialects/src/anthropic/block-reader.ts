import type { Chunk } from '@weir/contracts'
import { MOST_CALLS } from '../backend-error.ts'
import { type Fields, textIn } from '../fields.ts'
import { argumentsOf } from './tool-input.ts'

/** A call that is being written. `input` is what its start already said of its arguments. */
type Call = { call: number; isWritten: boolean; input: unknown }

/** Reads the blocks of a message from their starts, deltas and stops; those that we do not know are skipped. */
export function createBlockReader() {
  const calls = new Map<unknown, Call>()
  let callCount = 0

  function close(index: unknown): Chunk[] {
    const open = calls.get(index)
    if (!open) return []
    calls.delete(index)
    // A call without arguments has no pieces of them, and JSON is expected all the same.
    return open.isWritten ? [] : [{ type: 'arguments', choice: 0, call: open.call, text: argumentsOf(open.input) }]
  }

  return {
    begin(index: unknown, block: Fields | undefined): Chunk[] {
      switch (block?.['type']) {
        case 'text':
          return textOf('text', block['text'])
        case 'thinking':
          return [...textOf('reasoning', block['thinking']), ...textOf('signature', block['signature'])]
        case 'redacted_thinking':
          return [{ type: 'redacted_reasoning', choice: 0, data: textIn(block['data']) }]
        case 'tool_use': {
          const call = callCount++
          if (call >= MOST_CALLS) return []
          calls.set(index, { call, isWritten: false, input: block['input'] })
          const [id, name] = [textIn(block['id']), textIn(block['name'])]
          return [{ type: 'tool_call', choice: 0, call, id, kind: 'function', name }]
        }
        default:
          return []
      }
    },
    goOn(index: unknown, delta: Fields | undefined): Chunk[] {
      switch (delta?.['type']) {
        case 'text_delta':
          return textOf('text', delta['text'])
        case 'thinking_delta':
          return textOf('reasoning', delta['thinking'])
        case 'signature_delta':
          return textOf('signature', delta['signature'])
        case 'input_json_delta': {
          const open = calls.get(index)
          const text = textIn(delta['partial_json'])
          if (!open || text === '') return []
          open.isWritten = true
          return [{ type: 'arguments', choice: 0, call: open.call, text }]
        }
        default:
          return []
      }
    },
    close,
    get hasTooManyCalls(): boolean {
      return callCount > MOST_CALLS
    },
    closeAll: (): Chunk[] => [...calls.keys()].flatMap(close),
  }
}

const textOf = (type: 'text' | 'reasoning' | 'signature', text: unknown): Chunk[] =>
  typeof text === 'string' && text !== '' ? [{ type, choice: 0, text }] : []
