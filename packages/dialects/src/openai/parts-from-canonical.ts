import { type FilePart, type ImagePart, ServiceError, type TextPart, type UserPart } from '@weir/contracts'
import { dataUrlOf } from '../data-url.ts'
import { breakpointOf } from './cache-mark.ts'

/** A message as it stands in a body. */
export type BodyMessage = { role: string; content?: unknown } & Record<string, unknown>

export const textFromCanonical = ({ text, cache }: TextPart, cacheMarks: boolean) => ({
  type: 'text',
  text,
  ...(cacheMarks && breakpointOf(cache)),
})

export function partFromCanonical(part: UserPart, cacheMarks: boolean) {
  const mark = cacheMarks && breakpointOf(part.cache)
  switch (part.type) {
    case 'text':
      return textFromCanonical(part, cacheMarks)
    case 'image':
      return { type: 'image_url', image_url: imageOf(part), ...mark }
    case 'audio':
      return { type: 'input_audio', input_audio: { data: part.data, format: part.format }, ...mark }
    case 'file':
      if (part.source.kind === 'text') return textFromCanonical(writtenOut(part, part.source.text), cacheMarks)
      return { type: 'file', file: fileOf(part), ...mark }
  }
}

const imageOf = ({ source, detail }: ImagePart) => ({
  url: source.kind === 'url' ? source.url : dataUrlOf(source),
  ...(detail && { detail }),
})

function fileOf({ source, name }: FilePart) {
  if (source.kind === 'base64') return { file_data: dataUrlOf(source), ...(name !== undefined && { filename: name }) }
  const message = 'This model takes no files by their address: send the file itself.'
  throw new ServiceError('unsupported_parameter', message, { param: 'messages' })
}

/** A file of plain text, as text under its name. */
const writtenOut = ({ name, cache }: FilePart, text: string): TextPart => ({
  type: 'text',
  text: name === undefined ? text : `${name}\n\n${text}`,
  ...(cache && { cache }),
})
