import { type Fields, fieldsOf, listOf } from './fields.ts'

/** Where the image is, counted from 1, as a client would write it (`messages[0].content[2]`). `type` is what its part is called. */
export function imagePathOf(body: Fields, type: string, nth: number): string | undefined {
  let left = nth
  const search = (value: unknown, path: string): string | undefined => {
    for (const [i, part] of listOf(value).entries()) {
      const here = `${path}[${i}]`
      if (fieldsOf(part)?.['type'] === type && --left === 0) return here
      // A tool may have answered with images.
      const inside = search(fieldsOf(part)?.['content'], `${here}.content`)
      if (inside !== undefined) return inside
    }
    return undefined
  }
  return search(body['messages'], 'messages')
}
