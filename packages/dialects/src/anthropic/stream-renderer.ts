import type { ChoiceResult } from '@weir/contracts'
import type { AnswerHead, Bill, StreamRenderer } from '../dialect.ts'
import { messageOf, notStopped, stopOf } from './answer.ts'
import { type Emit, type Piece, createBlockWriter } from './block-writer.ts'
import { renderUsage, usageAtStart } from './usage.ts'

/**
 * Renders the chunks of one stream. Its usage comes last, in `message_delta`; clients put it in the place of the zeros of
 * `message_start`. Only the first choice is rendered.
 */
export function createStreamRenderer(head: AnswerHead): StreamRenderer {
  let events: string[] = []
  let isBegun = false
  let finish: Pick<ChoiceResult, 'finishReason' | 'stopSequence'> | undefined
  const said = { refused: false, called: false }

  const emit: Emit = (type, rest) => void events.push(`event: ${type}\ndata: {"type":"${type}"${rest}}\n\n`)
  const blocks = createBlocksInTurn(emit)

  function begin(): void {
    events = []
    if (isBegun) return
    isBegun = true
    const message = { ...messageOf(head), content: [], ...notStopped, usage: usageAtStart }
    emit('message_start', `,"message":${JSON.stringify(message)}`)
  }

  return {
    chunk(chunk) {
      if (chunk.choice !== 0 || finish) return []
      begin()
      if (chunk.type === 'finish') {
        finish = {
          finishReason: chunk.reason,
          ...(chunk.stopSequence !== undefined && { stopSequence: chunk.stopSequence }),
        }
        blocks.end()
        return events
      }
      said.refused ||= chunk.type === 'refusal'
      said.called ||= chunk.type === 'tool_call'
      blocks.take(chunk)
      return events
    },
    end(bill: Bill) {
      begin()
      blocks.end()
      const delta = finish ? stopOf(finish, said) : notStopped
      emit('message_delta', `,"delta":${JSON.stringify(delta)},"usage":${JSON.stringify(renderUsage(bill))}`)
      emit('message_stop', '')
      return events
    },
  }
}

/**
 * Blocks come one after the other, but a backend that writes several calls at once may mix their pieces. What comes before
 * the arguments of a call are whole waits until they are, or until the end.
 */
function createBlocksInTurn(emit: Emit) {
  const blocks = createBlockWriter(emit)
  // A call waits with the pieces of its arguments, so that each piece is moved once, however many calls there are.
  let waiting: Piece[][] = []
  let taken = 0
  const waitingCalls = new Map<number, Piece[]>()
  const isWaiting = (): boolean => taken < waiting.length

  function take(piece: Piece): void {
    if (!blocks.continues(piece) && (isWaiting() || blocks.isAmidCall())) {
      wait(piece)
      return
    }
    blocks.write(piece)
    if (isWaiting() && !blocks.isAmidCall()) takeWaiting()
  }

  function wait(piece: Piece): void {
    if (piece.type === 'arguments') {
      // Without a call that waits for them they are of one that is over.
      waitingCalls.get(piece.call)?.push(piece)
      return
    }
    const pieces = [piece]
    waiting.push(pieces)
    if (piece.type === 'tool_call') waitingCalls.set(piece.call, pieces)
  }

  /** Writes what waits, up to a call whose arguments are still to come. */
  function takeWaiting(): void {
    blocks.stop()
    while (isWaiting()) {
      const pieces = waiting[taken++] ?? []
      for (const piece of pieces) {
        blocks.write(piece)
        if (piece.type === 'tool_call') waitingCalls.delete(piece.call)
      }
      if (blocks.isAmidCall()) return
    }
    waiting = []
    taken = 0
  }

  return {
    take,
    end(): void {
      while (isWaiting()) takeWaiting()
      blocks.stop()
    },
  }
}
