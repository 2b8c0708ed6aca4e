import { type FileId, ServiceError } from '@weir/contracts'
import type { ItemError, ItemPlace } from '@weir/store'

type ReadRange = { read(id: FileId, range: { start: number; end: number }): AsyncIterable<Uint8Array> }

/** Lines that lie closer together than this are read in one go. */
const NEAR_BYTES = 262_144
/** More of a file is not held at once. */
const MOST_BYTES = 33_554_432

/** The texts of lines, which come in the order in which they lie in the file. */
export async function readItems(files: ReadRange, file: FileId, items: readonly ItemPlace[]): Promise<string[]> {
  const texts: string[] = []
  for (const group of nearOnes(items)) {
    const start = group[0]!.startByte
    const last = group.at(-1)!
    const pieces: Uint8Array[] = []
    for await (const piece of files.read(file, { start, end: last.startByte + last.bytes })) pieces.push(piece)
    const bytes = Buffer.concat(pieces)
    for (const item of group)
      texts.push(bytes.toString('utf8', item.startByte - start, item.startByte - start + item.bytes))
  }
  return texts
}

function* nearOnes(items: readonly ItemPlace[]): Generator<ItemPlace[]> {
  let group: ItemPlace[] = []
  for (const item of items) {
    const [first, last] = [group[0], group.at(-1)]
    const isNear = last && item.startByte - (last.startByte + last.bytes) <= NEAR_BYTES
    const fits = first && item.startByte + item.bytes - first.startByte <= MOST_BYTES
    if (group.length > 0 && !(isNear && fits)) {
      yield group
      group = []
    }
    group.push(item)
  }
  if (group.length > 0) yield group
}

export const isInputGone = (error: unknown): boolean => error instanceof ServiceError && error.code === 'not_found'

export const inputGone: ItemError = {
  code: 'input_file_gone',
  message: 'The input file is not there any more: it was deleted, or it has expired.',
}
