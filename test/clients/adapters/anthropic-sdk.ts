import type Anthropic from '@anthropic-ai/sdk'
import { type Call, type Client, type Said, failureOfStatus } from '../client.ts'

/** What the majors have in common; their types differ in what is not used here. */
export type AnyAnthropic = new (options: ConstructorParameters<typeof Anthropic>[0]) => Pick<Anthropic, 'messages'>
type Spent = { credits_consumed?: number }
type Param = Anthropic.MessageParam

/** Anthropic's own client, in any of its majors. */
export function anthropicSdk(name: string, packageName: string, Sdk: AnyAnthropic): Client {
  const clientOf = ({ url, apiKey, timeoutMs, maxRetries }: Call) =>
    new Sdk({
      baseURL: url,
      apiKey,
      ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
      ...(maxRetries === undefined ? {} : { maxRetries }),
    }).messages

  return {
    name,
    packages: [packageName],
    dialect: 'anthropic',
    async ask(call) {
      return saidIn(await clientOf(call).create(bodyOf(call), optionsOf(call)))
    },
    async stream(call, hear) {
      const stream = clientOf(call).stream(bodyOf(call), optionsOf(call))
      stream.on('text', hear)
      // The message that the helper puts together has only what it knows of a usage.
      let credits: number | undefined
      stream.on('streamEvent', (event) => {
        if (event.type === 'message_delta') credits = (event.usage as Spent).credits_consumed
      })
      return { ...saidIn(await stream.finalMessage()), credits }
    },
    async useTool(call, tool, how) {
      const client = clientOf(call)
      const body = { ...bodyOf(call), tools: [{ name: tool.name, input_schema: tool.parameters }] }
      const turn = (messages: Param[]) =>
        how === 'plain' ? client.create({ ...body, messages }) : client.stream({ ...body, messages }).finalMessage()

      const asked = await turn(body.messages)
      const results = asked.content.flatMap((block) =>
        block.type === 'tool_use'
          ? [{ type: 'tool_result' as const, tool_use_id: block.id, content: tool.run(block.input) }]
          : [],
      )
      const answer: Param[] = [
        { role: 'assistant', content: asked.content as Anthropic.ContentBlockParam[] },
        { role: 'user', content: results },
      ]
      return saidIn(await turn([...body.messages, ...answer]))
    },
    async fill(call, schema) {
      const format = { type: 'json_schema' as const, schema: schema as Record<string, unknown> }
      return JSON.parse(saidIn(await clientOf(call).create({ ...bodyOf(call), output_config: { format } })).text)
    },
    failureOf: failureOfStatus,
    cannot: {},
  }
}

const optionsOf = ({ signal }: Call) => (signal ? { signal } : {})

function bodyOf({ model, prompt, image, maxTokens = 500 }: Call) {
  const [, mediaType, data] = /^data:([^;]+);base64,(.*)$/.exec(image ?? '') ?? []
  const content =
    mediaType !== undefined && data !== undefined
      ? [
          { type: 'text' as const, text: prompt },
          {
            type: 'image' as const,
            source: { type: 'base64' as const, media_type: mediaType as 'image/png', data },
          },
        ]
      : prompt
  return { model, max_tokens: maxTokens, messages: [{ role: 'user' as const, content }] as Param[] }
}

function saidIn({ content, usage }: Anthropic.Message): Said {
  const { input_tokens, output_tokens, credits_consumed } = usage as Anthropic.Usage & Spent
  const text = content.map((block) => (block.type === 'text' ? block.text : '')).join('')
  return { text, inputTokens: input_tokens, outputTokens: output_tokens, credits: credits_consumed }
}
