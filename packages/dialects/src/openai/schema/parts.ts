import { z } from 'zod'
import { bytesIn, isBase64, isWebUrl } from '../../data-url.ts'
import { unsupported } from '../../request-error.ts'

/** Marks the end of a prefix of the prompt that is worth keeping. */
const marked = {
  prompt_cache_breakpoint: z
    .strictObject({ mode: z.literal('explicit'), ttl: z.enum(['30m', '12h']).nullish() })
    .nullish(),
}

export const TextContentPart = z.strictObject({ type: z.literal('text'), text: z.string(), ...marked })
export type TextContentPart = z.infer<typeof TextContentPart>

const isImageUrl = (url: string): boolean => isWebUrl(url) || (bytesIn(url)?.mediaType.startsWith('image/') ?? false)

const ImageContentPart = z.strictObject({
  type: z.literal('image_url'),
  image_url: z.strictObject({
    url: z
      .string()
      .refine(isImageUrl, { error: 'must be an http or https address, or a data URL of an image in base64' }),
    detail: z.enum(['auto', 'low', 'high', 'original']).nullish(),
  }),
  ...marked,
})

const AudioContentPart = z.strictObject({
  type: z.literal('input_audio'),
  input_audio: z.strictObject({
    data: z.string().refine(isBase64, { error: 'must be base64' }),
    format: z.enum(['wav', 'mp3']),
  }),
  ...marked,
})

const FileContentPart = z.strictObject({
  type: z.literal('file'),
  file: z.strictObject({
    file_id: unsupported('is not supported: send the file itself as file_data'),
    file_data: z.string().refine((data) => isBase64(data) || bytesIn(data) !== undefined, {
      error: 'must be base64, or a data URL in base64',
    }),
    filename: z.string().max(256).nullish(),
  }),
  ...marked,
})

export const UserContentPart = z.discriminatedUnion('type', [
  TextContentPart,
  ImageContentPart,
  AudioContentPart,
  FileContentPart,
])
export type UserContentPart = z.infer<typeof UserContentPart>

export const AssistantContentPart = z.discriminatedUnion('type', [
  TextContentPart,
  z.strictObject({ type: z.literal('refusal'), refusal: z.string() }),
])
export type AssistantContentPart = z.infer<typeof AssistantContentPart>
