import type { Chunk, ToolKind } from '@weir/contracts'
import { MOST_CALLS } from '../backend-error.ts'
import { type Fields, fieldsOf, listOf, textIn } from '../fields.ts'
import { createWholeCharacters } from './whole-characters.ts'

type Call = {
  call: number
  id: string
  kind: ToolKind
  name: string
  /** It was named to the reader of the chunks. */
  isTold: boolean
  /** Arguments that came before the name. */
  early: string
  hasArguments: boolean
  characters: ReturnType<typeof createWholeCharacters>
}
type Said = { index: number | undefined; id: string; kind: ToolKind; name: string; text: string }

/**
 * Reads the tool calls of one choice from its deltas. Servers send them in pieces or at once, with an index or without,
 * repeat names and ids, make up an id for each piece, or give none: then we do.
 */
export function createCallReader(choice: number) {
  const calls: Call[] = []
  const byIndex = new Map<number, Call>()

  /** The call that a piece is of, unless it is one too many. */
  function callOf(said: Said): Call | undefined {
    const known = said.index === undefined ? calls.at(-1) : byIndex.get(said.index)
    if (known && !isAnother(known, said)) return known
    if (calls.length === MOST_CALLS) return undefined
    const { id, kind, name } = said
    const characters = createWholeCharacters()
    const begun = { call: calls.length, id, kind, name, isTold: false, early: '', hasArguments: false, characters }
    calls.push(begun)
    if (said.index !== undefined) byIndex.set(said.index, begun)
    return begun
  }

  function tell(call: Call, chunks: Chunk[]): void {
    if (call.isTold) return
    call.isTold = true
    const id = call.id || mintedId()
    chunks.push({ type: 'tool_call', choice, call: call.call, id, kind: call.kind, name: call.name })
    tellArguments(call, call.early, chunks)
  }

  function tellArguments(call: Call, text: string, chunks: Chunk[]): void {
    if (text === '') return
    call.hasArguments = true
    chunks.push({ type: 'arguments', choice, call: call.call, text })
  }

  return {
    /**
     * In a whole message each entry is a call of its own, however alike they are. Reads no further than the most calls
     * that there may be.
     */
    read(delta: Fields, isWhole: boolean, chunks: Chunk[]): 'too many calls' | 'read' {
      const older = fieldsOf(delta['function_call'])
      const deltas = older ? [{ index: 0, function: older }] : listOf(delta['tool_calls'])
      for (const [place, each] of deltas.entries()) {
        const fields = fieldsOf(each)
        if (!fields) continue
        const said = saidIn(fields, isWhole ? place : fields['index'])
        const call = callOf(said)
        if (!call) return 'too many calls'
        call.id ||= said.id
        call.name ||= said.name
        const text = call.characters.add(said.text)
        if (call.name !== '') tell(call, chunks)
        if (call.isTold) tellArguments(call, text, chunks)
        else call.early += text
      }
      return 'read'
    },
    /** After the last delta. A function that was called without a word gets no arguments, which as JSON is `{}`. */
    end(chunks: Chunk[]): void {
      for (const call of calls) {
        tell(call, chunks)
        tellArguments(call, call.characters.rest(), chunks)
        if (!call.hasArguments && call.kind === 'function') tellArguments(call, '{}', chunks)
      }
    },
    get hasCalls(): boolean {
      return calls.length > 0
    },
  }
}

/** Whether a piece begins another call than the one its index, or its place, would give it to. */
function isAnother(known: Call, { index, id, name }: Said): boolean {
  if (name === '' || known.name === '') return false
  const isOtherId = id !== '' && id !== known.id
  // Without an index, whatever names a function calls it, unless it repeats the id.
  return index === undefined ? isOtherId || id === '' : isOtherId && known.id !== ''
}

function saidIn(fields: Fields, index: unknown): Said {
  const custom = fieldsOf(fields['custom'])
  const called = custom ?? fieldsOf(fields['function']) ?? {}
  const given = custom ? called['input'] : called['arguments']
  return {
    index: Number.isSafeInteger(index) ? (index as number) : undefined,
    id: textIn(fields['id']),
    kind: custom || fields['type'] === 'custom' ? 'custom' : 'function',
    name: textIn(called['name']),
    // Some servers give arguments as the JSON they are to be written in.
    text: fieldsOf(given) ? JSON.stringify(given) : textIn(given),
  }
}

const mintedId = (): string => `call_${crypto.randomUUID().replaceAll('-', '')}`
