import type { ChoiceChunk } from '@weir/contracts'
import { type WrittenInput, createWrittenInput } from './tool-input.ts'

type Kind = 'text' | 'refusal' | 'thinking' | 'tool_use'

/** The block that is being written; only one is at a time. */
type Open = { kind: Kind; call: number | undefined; input: WrittenInput; signature: string | undefined }

export type Emit = (type: string, rest: string) => void

/** A piece of a block: all chunks of a choice but its end. */
export type Piece = Exclude<ChoiceChunk, { type: 'finish' }>

/** Writes the blocks of a message, each as a start, its pieces and a stop. */
export function createBlockWriter(emit: Emit) {
  let index = 0
  let open: Open | undefined

  const emitDelta = (type: string, field: string, text: string) =>
    emit('content_block_delta', `,"index":${index},"delta":{"type":"${type}","${field}":${JSON.stringify(text)}}`)

  function stop(): void {
    if (!open) return
    // Clients keep the last signature they hear, so it is told whole.
    if (open.signature !== undefined) emitDelta('signature_delta', 'signature', open.signature)
    emit('content_block_stop', `,"index":${index}`)
    index += 1
    open = undefined
  }

  function start(kind: Kind, block: object, call?: number): Open {
    stop()
    emit('content_block_start', `,"index":${index},"content_block":${JSON.stringify(block)}`)
    return (open = { kind, call, input: createWrittenInput(), signature: undefined })
  }

  function say(kind: 'text' | 'refusal', text: string): void {
    if (text === '') return
    if (open?.kind !== kind) start(kind, { type: 'text', text: '' })
    emitDelta('text_delta', 'text', text)
  }

  const thinking = (): Open =>
    open?.kind === 'thinking' ? open : start('thinking', { type: 'thinking', thinking: '', signature: '' })

  function write(piece: Piece): void {
    switch (piece.type) {
      case 'text':
      case 'refusal':
        return say(piece.type, piece.text)
      case 'reasoning':
        // A signature ends what it signs.
        if (open?.signature !== undefined) stop()
        thinking()
        if (piece.text !== '') emitDelta('thinking_delta', 'thinking', piece.text)
        return
      case 'signature': {
        const block = thinking()
        block.signature = (block.signature ?? '') + piece.text
        return
      }
      case 'redacted_reasoning':
        start('thinking', { type: 'redacted_thinking', data: piece.data })
        return stop()
      case 'tool_call':
        start('tool_use', { type: 'tool_use', id: piece.id, name: piece.name, input: {} }, piece.call)
        return
      case 'arguments':
        if (open?.kind !== 'tool_use' || open.call !== piece.call || piece.text === '') return
        open.input.add(piece.text)
        emitDelta('input_json_delta', 'partial_json', piece.text)
    }
  }

  return {
    write,
    stop,
    /** Whether the piece goes on with the block that is being written. */
    continues: (piece: Piece): boolean => piece.type === 'arguments' && piece.call === open?.call,
    /** A call is being written whose arguments are not whole yet. */
    isAmidCall: (): boolean => open?.kind === 'tool_use' && !open.input.isWhole,
  }
}
