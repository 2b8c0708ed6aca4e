/** To begin with: most requests lie in one piece as they come, and need none. */
const FIRST_BYTES = 65_536

export type HeldText = {
  add(piece: Uint8Array): void
  /** All of it with this last piece; from then on nothing is held. */
  end(piece: Uint8Array): Uint8Array
  /** That it has. */
  readonly length: number
  /** What it takes of the memory. */
  readonly bytes: number
}

/** A text that comes in pieces, in one place: a piece of one byte takes a hundred as long as it is an object of its own. */
export function createHeldText(mostBytes: number): HeldText {
  let memory = Buffer.alloc(0)
  let length = 0

  function add(piece: Uint8Array): void {
    if (length + piece.length > memory.length) {
      const wanted = Math.min(2 * memory.length, mostBytes)
      const larger = Buffer.allocUnsafeSlow(Math.max(wanted, length + piece.length, FIRST_BYTES))
      memory.copy(larger, 0, 0, length)
      memory = larger
    }
    memory.set(piece, length)
    length += piece.length
  }

  return {
    add,
    end(piece) {
      if (length === 0) return piece
      add(piece)
      const whole = memory.subarray(0, length)
      memory = Buffer.alloc(0)
      length = 0
      return whole
    },
    get length() {
      return length
    },
    get bytes() {
      return memory.length
    },
  }
}
