import { AttemptRecord, Chunk, type CompletionId, type Outcome, decodeOutcome } from '@weir/contracts'
import { z } from 'zod'

/** Where a frame stands: the attempt that spoke it, and which of its frames it is, from 1. */
export type Position = { epoch: number; sequence: number }
export type Frame = Position & { chunks: Chunk[] }

export type ReplyMessage =
  | { kind: 'frame'; id: CompletionId; frame: Frame; size: number }
  | { kind: 'end'; id: CompletionId; epoch: number; lastSequence: number; outcome: Outcome; size: number }

const Frames = z.array(Chunk)

export const decodeFrame = (text: string): Chunk[] => Frames.parse(JSON.parse(text)) as Chunk[]

/** The attempts of a log, a line each, and the one that is running, whose JSON is not yet closed. */
export function decodeAttempts(log: string | null | undefined, running?: string | null): AttemptRecord[] {
  const lines = (log ?? '').split('\n').filter((line) => line !== '')
  if (running) lines.push(`${running}}`)
  return lines.map((line) => AttemptRecord.parse(JSON.parse(line)))
}

/** Reads what the scripts publish to a replica: kind, id, `epoch-sequence` and payload, a line each. */
export function parseReply(message: string): ReplyMessage {
  const kindEnd = message.indexOf('\n')
  const idEnd = message.indexOf('\n', kindEnd + 1)
  const atEnd = message.indexOf('\n', idEnd + 1)
  const id = message.slice(kindEnd + 1, idEnd) as CompletionId
  const position = positionOf(message.slice(idEnd + 1, atEnd))
  const payload = message.slice(atEnd + 1)
  if (message.startsWith('frame\n'))
    return { kind: 'frame', id, frame: { ...position, chunks: decodeFrame(payload) }, size: message.length }
  const { epoch, sequence: lastSequence } = position
  return { kind: 'end', id, epoch, lastSequence, outcome: decodeOutcome(payload), size: message.length }
}

export function positionOf(at: string): Position {
  const dash = at.indexOf('-')
  return { epoch: Number(at.slice(0, dash)), sequence: Number(at.slice(dash + 1)) }
}
