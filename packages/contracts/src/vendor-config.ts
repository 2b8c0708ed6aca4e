import { z } from 'zod'

const EnvName = z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'must be the name of an environment variable')

const OURS = /^(accept|accept-encoding|connection|content-.*|expect|host|keep-alive|te|transfer-encoding|upgrade)$/i
const SECRET = /^(proxy-)?authorization$|^cookie$|key|secret|token|signature|password/i

const HeaderName = z.string().regex(/^[\w!#$%&'*+.^`|~-]{1,64}$/, 'must be the name of a header')
// What a header can hold: nothing that would begin another one.
const HeaderText = z.string().regex(/^[\x20-\x7e]{0,1024}$/, 'must be up to 1024 printable ASCII characters')

const Headers = z
  .record(HeaderName, z.union([HeaderText, z.strictObject({ env: EnvName })]))
  .superRefine((headers, context) => {
    for (const [name, value] of Object.entries(headers)) {
      const refuse = (message: string) => context.addIssue({ code: 'custom', path: [name], message })
      if (OURS.test(name)) refuse('is set by Weir')
      else if (typeof value === 'string' && SECRET.test(name)) {
        refuse('must not hold a secret; name its variable as { env: NAME }')
      }
    }
  })

const Query = z.record(z.string().min(1).max(64), z.string().max(1024)).superRefine((query, context) => {
  for (const name of Object.keys(query)) {
    if (!SECRET.test(name)) continue
    context.addIssue({ code: 'custom', path: [name], message: 'must not hold a secret; send it as a header' })
  }
})

// What a request is made of; a field of the same name must not get past what was checked and paid for.
const CANONICAL = new Set(['model', 'messages', 'stream', 'stream_options', 'n', 'max_tokens', 'max_completion_tokens'])

const PassFields = z.array(
  z
    .string()
    .regex(/^[A-Za-z_][\w.-]{0,63}$/, 'must be the name of a field')
    .refine((name) => !CANONICAL.has(name), 'is a field that Weir sets'),
)

/** Up to the path of the API; what follows a question mark would be lost, so it has its own field. */
const BaseUrl = z
  .url({ protocol: /^https?$/ })
  .refine((url) => !/[?#]/.test(url), 'must not have a query; that is what `query` is for')

/** How a vendor's server is reached: these are the same for every kind of them. */
const connection = {
  /** The name of the environment variable that holds the secret; the secret itself is never in the file. */
  api_key_env: EnvName.optional(),
  query: Query.optional(),
  headers: Headers.optional(),
  pass_fields: PassFields.optional(),
  /** Where it is not said, only the vendors' own servers are handed addresses that a client names. */
  inline_images: z.boolean().optional(),
  /** Completions in flight at once, over all workers. */
  slots: z.int().positive().max(100_000).optional(),
  quota_group: z.string().min(1).max(64).optional(),
  connect_timeout_ms: z.int().positive().default(5_000),
  first_token_timeout_ms: z.int().positive().default(120_000),
  idle_timeout_ms: z.int().positive().default(60_000),
}

/** Any server that speaks OpenAI's chat completions; what they differ in is said here, not coded in forks. */
export const OpenAiConfig = z.strictObject({
  kind: z.literal('openai'),
  base_url: BaseUrl,
  /** After `base_url`; `{model}` in it is the target's model, as Azure names its deployments. */
  path: z
    .string()
    .regex(/^\/[^?#\s]*$/, 'must begin with a slash and have no query')
    .default('/chat/completions'),
  auth: z.union([z.enum(['bearer', 'none']), z.strictObject({ header: HeaderName })]).default('bearer'),
  max_tokens_field: z.enum(['auto', 'max_tokens', 'max_completion_tokens']).default('auto'),
  developer_role: z.enum(['auto', 'keep', 'system']).default('auto'),
  prompt_cache_fields: z.enum(['auto', 'keep', 'omit']).default('auto'),
  stream_options: z.boolean().default(true),
  ...connection,
})
export type OpenAiConfig = z.infer<typeof OpenAiConfig>

/** Any server that speaks Anthropic's messages. */
export const AnthropicConfig = z.strictObject({
  kind: z.literal('anthropic'),
  base_url: BaseUrl.default('https://api.anthropic.com'),
  version: z.enum(['2023-06-01', '2026-10-21']).default('2023-06-01'),
  beta: z.array(HeaderText.regex(/^[^,\s]+$/, 'must be one name')).optional(),
  auth: z.enum(['auto', 'x-api-key', 'bearer', 'none']).default('auto'),
  ...connection,
})
export type AnthropicConfig = z.infer<typeof AnthropicConfig>
