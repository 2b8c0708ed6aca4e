import { z } from 'zod'
import { isBase64, isWebUrl } from '../data-url.ts'
import { unsupported } from '../request-error.ts'

/** Marks the end of a prefix that the backend may keep. */
export const CacheControl = z.strictObject({ type: z.literal('ephemeral'), ttl: z.enum(['5m', '1h']).nullish() })
export type CacheControl = z.infer<typeof CacheControl>

const cache_control = CacheControl.nullish()

const citations = z.array(z.unknown()).max(0, { error: 'citations are not supported' }).nullish()

export const TextBlock = z.strictObject({ type: z.literal('text'), text: z.string(), cache_control, citations })

const address = z.string().refine(isWebUrl, { error: 'must be an http or https address' })
const bytes = z.string().refine(isBase64, { error: 'must be base64' })
const UrlSource = z.strictObject({ type: z.literal('url'), url: address })

/** The image types that the API takes. */
export const ImageType = z.enum(['image/jpeg', 'image/png', 'image/gif', 'image/webp'])

export const ImageBlock = z.strictObject({
  type: z.literal('image'),
  source: z.discriminatedUnion(
    'type',
    [z.strictObject({ type: z.literal('base64'), media_type: ImageType, data: bytes }), UrlSource],
    { error: 'must be a source of type base64 or url' },
  ),
  cache_control,
  transformations: unsupported('is not supported'),
})
export type ImageBlock = z.infer<typeof ImageBlock>

export const DocumentBlock = z.strictObject({
  type: z.literal('document'),
  source: z.discriminatedUnion(
    'type',
    [
      z.strictObject({
        type: z.literal('base64'),
        media_type: z.literal('application/pdf'),
        data: bytes,
      }),
      z.strictObject({ type: z.literal('text'), media_type: z.literal('text/plain'), data: z.string() }),
      UrlSource,
    ],
    { error: 'must be a source of type base64, text or url' },
  ),
  title: z.string().max(500).nullish(),
  context: unsupported('is not supported'),
  citations: z
    .strictObject({ enabled: z.literal(false, { error: 'citations are not supported' }).nullish() })
    .nullish(),
  cache_control,
})
export type DocumentBlock = z.infer<typeof DocumentBlock>

export const ThinkingBlock = z.strictObject({
  type: z.literal('thinking'),
  thinking: z.string(),
  signature: z.string().nullish(),
})

export const RedactedThinkingBlock = z.strictObject({ type: z.literal('redacted_thinking'), data: z.string() })

/** The name of a tool, as both vendors take it. */
export const ToolName = z
  .string()
  .regex(/^[a-zA-Z0-9_-]{1,128}$/, { error: 'must be 1 to 128 letters, digits, underscores or dashes' })

const CallId = z.string().min(1).max(256)

export const ToolUseBlock = z.strictObject({
  type: z.literal('tool_use'),
  id: CallId,
  name: ToolName,
  input: z.record(z.string(), z.unknown()),
  cache_control,
  // As it came in an answer: called by the model itself.
  caller: z.strictObject({ type: z.literal('direct') }).nullish(),
  toolset_name: unsupported('is not supported: there are no toolsets'),
})
export type ToolUseBlock = z.infer<typeof ToolUseBlock>

const ToolResultContent = z.discriminatedUnion('type', [TextBlock, ImageBlock, DocumentBlock], {
  error: 'must be a block of type text, image or document',
})

export const ToolResultBlock = z.strictObject({
  type: z.literal('tool_result'),
  tool_use_id: CallId,
  content: z
    .union([z.string(), z.array(ToolResultContent)], { error: 'must be a string or an array of blocks' })
    .nullish(),
  is_error: z.boolean().nullish(),
  cache_control,
  toolset_name: unsupported('is not supported: there are no toolsets'),
})
export type ToolResultBlock = z.infer<typeof ToolResultBlock>

export const UserBlock = z.discriminatedUnion('type', [TextBlock, ImageBlock, DocumentBlock, ToolResultBlock], {
  error: 'must be a block of type text, image, document or tool_result',
})
export type UserBlock = z.infer<typeof UserBlock>

export const AssistantBlock = z.discriminatedUnion(
  'type',
  [TextBlock, ThinkingBlock, RedactedThinkingBlock, ToolUseBlock],
  { error: 'must be a block of type text, thinking, redacted_thinking or tool_use' },
)
export type AssistantBlock = z.infer<typeof AssistantBlock>

const contentOf = <Block extends z.ZodType>(block: Block) =>
  z.union([z.string(), z.array(block).min(1)], { error: 'must be a string or a non-empty array of blocks' })

export const SystemContent = contentOf(TextBlock)

export const Turn = z.discriminatedUnion(
  'role',
  [
    z.strictObject({ role: z.literal('user'), content: contentOf(UserBlock) }),
    z.strictObject({ role: z.literal('assistant'), content: contentOf(AssistantBlock) }),
    z.strictObject({ role: z.literal('system'), content: SystemContent }),
  ],
  { error: 'must be user, assistant or system' },
)
export type Turn = z.infer<typeof Turn>
