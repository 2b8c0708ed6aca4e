import type { Kind } from './answer.ts'

/** What a model was asked, in the words of no vendor. */
export type Asked = {
  kind: Kind
  model: string
  /** The text of the last message that is the user's own. */
  prompt: string
  /** What the last tool call gave, where that is what was sent last. */
  toolResult: string | undefined
  /** The names of the tools. */
  tools: string[]
  /** The images of all messages. */
  images: { mediaType: string; bytes: number }[]
  /** The JSON schema that the answer is to follow. */
  schema: object | undefined
}

type Part = {
  type: string
  text?: string
  image_url?: { url: string }
  source?: { media_type: string; data: string }
  content?: string | Part[]
}
type Body = {
  model: string
  messages: { role: string; content: string | Part[] | null }[]
  tools?: { name?: string; function?: { name: string } }[]
  response_format?: { type: string; json_schema?: { schema: object } }
  output_config?: { format?: { type: string; schema: object } }
}

/** Reads the body of either kind. */
export function askedBy(kind: Kind, json: string): Asked {
  const body = JSON.parse(json) as Body
  const parts = body.messages.map(({ role, content }) => ({ role, parts: partsOf(content) }))
  const last = parts.at(-1)
  const said = parts.findLast((message) => message.role === 'user' && message.parts.some(isText))
  return {
    kind,
    model: body.model,
    prompt: textOf(said?.parts ?? []),
    toolResult: last && resultIn(last.role, last.parts),
    tools: (body.tools ?? []).map(({ name, function: named }) => name ?? named?.name ?? ''),
    images: parts.flatMap((message) => message.parts.flatMap(imageIn)),
    schema: body.response_format?.json_schema?.schema ?? body.output_config?.format?.schema,
  }
}

const partsOf = (content: string | Part[] | null | undefined): Part[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : (content ?? [])

const isText = ({ type }: Part): boolean => type === 'text'
const textOf = (parts: readonly Part[]): string => parts.map(({ text = '' }) => text).join('')

function resultIn(role: string, parts: readonly Part[]): string | undefined {
  if (role === 'tool') return textOf(parts)
  const result = parts.find(({ type }) => type === 'tool_result')
  return result && textOf(partsOf(result.content))
}

function imageIn({ image_url: image, source }: Part): Asked['images'] {
  if (source) return [{ mediaType: source.media_type, bytes: Buffer.from(source.data, 'base64').length }]
  const [, mediaType, data] = /^data:([^;]+);base64,(.*)$/.exec(image?.url ?? '') ?? []
  return mediaType === undefined || data === undefined ? [] : [{ mediaType, bytes: Buffer.from(data, 'base64').length }]
}
