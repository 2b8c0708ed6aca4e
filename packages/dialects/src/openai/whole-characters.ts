/** Puts characters together again that a server has cut in two between one piece of text and the next. */
export function createWholeCharacters() {
  let half = ''
  return {
    /** What is whole of the text so far and was not told yet. */
    add(piece: string): string {
      if (piece === '') return ''
      const text = half + piece
      const isCut = (text.charCodeAt(text.length - 1) & 0xfc00) === 0xd800
      half = isCut ? text.slice(-1) : ''
      return isCut ? text.slice(0, -1) : text
    },
    /** What is left at the end: half of a character whose other half never came. */
    rest(): string {
      const text = half
      half = ''
      return text
    },
  }
}
