import type { FilePart, ImagePart, TextPart, UserPart } from '@weir/contracts'
import type { z } from 'zod'
import { type DocumentBlock, type ImageBlock, ImageType, type TextBlock } from './blocks.ts'
import { cacheControlOf } from './cache-control.ts'
import { notCarried } from './carried.ts'

/** What a user shows a model, or a tool answers. `param` names the part, should it be one that cannot be said. */
export function blockOf(part: UserPart, param: string): z.infer<typeof TextBlock> | ImageBlock | DocumentBlock {
  switch (part.type) {
    case 'text':
      return textBlockOf(part)
    case 'image':
      return imageBlockOf(part, param)
    case 'file':
      return documentBlockOf(part, param)
    case 'audio':
      throw notCarried(param, 'this model does not hear')
  }
}

export const textBlockOf = ({ text, cache }: TextPart): z.infer<typeof TextBlock> => ({
  type: 'text',
  text,
  ...cacheControlOf(cache),
})

function imageBlockOf({ source, detail = 'auto', cache }: ImagePart, param: string): ImageBlock {
  if (detail !== 'auto') throw notCarried(`${param}.image_url.detail`, 'this model chooses the detail itself')
  return { type: 'image', source: imageSourceOf(source, param), ...cacheControlOf(cache) }
}

function imageSourceOf(source: ImagePart['source'], param: string): ImageBlock['source'] {
  if (source.kind === 'url') return { type: 'url', url: source.url }
  const type = ImageType.safeParse(source.mediaType === 'image/jpg' ? 'image/jpeg' : source.mediaType)
  if (!type.success) throw notCarried(param, 'this model sees only JPEG, PNG, GIF and WebP images')
  return { type: 'base64', media_type: type.data, data: source.data }
}

const documentBlockOf = ({ source, name, cache }: FilePart, param: string): DocumentBlock => ({
  type: 'document',
  source: documentSourceOf(source, param),
  ...(name === undefined ? {} : { title: name }),
  ...cacheControlOf(cache),
})

function documentSourceOf(source: FilePart['source'], param: string): DocumentBlock['source'] {
  if (source.kind === 'url') return { type: 'url', url: source.url }
  if (source.kind === 'text') return { type: 'text', media_type: 'text/plain', data: source.text }
  if (source.mediaType === 'application/pdf') {
    return { type: 'base64', media_type: 'application/pdf', data: source.data }
  }
  if (source.mediaType !== 'text/plain') throw notCarried(param, 'this model reads only PDF files and plain text')
  return { type: 'text', media_type: 'text/plain', data: Buffer.from(source.data, 'base64').toString() }
}
