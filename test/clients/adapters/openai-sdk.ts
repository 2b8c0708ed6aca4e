import type OpenAI from 'openai'
import { type Call, type Client, type Said, failureOfStatus, runWith } from '../client.ts'

/** What the majors have in common; their types differ in what is not used here. */
export type AnyOpenAI = new (options: ConstructorParameters<typeof OpenAI>[0]) => Pick<OpenAI, 'chat'>
type Message = OpenAI.ChatCompletionMessageParam
type Usage = OpenAI.CompletionUsage & { credits_consumed?: number }

/** OpenAI's own client, in any of its majors. */
export function openaiSdk(name: string, packageName: string, Sdk: AnyOpenAI): Client {
  const clientOf = ({ url, apiKey, timeoutMs, maxRetries }: Call) =>
    new Sdk({
      baseURL: `${url}/v1`,
      apiKey,
      ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
      ...(maxRetries === undefined ? {} : { maxRetries }),
    }).chat.completions

  return {
    name,
    packages: [packageName],
    dialect: 'openai',
    async ask(call) {
      const { choices, usage } = await clientOf(call).create(bodyOf(call), optionsOf(call))
      return { text: choices[0]?.message.content ?? '', ...spent(usage) }
    },
    async stream(call, hear) {
      const stream = await clientOf(call).create(
        { ...bodyOf(call), stream: true, stream_options: { include_usage: true } },
        optionsOf(call),
      )
      const { message, usage } = await gathered(stream, hear)
      return { text: textOf(message), ...spent(usage) }
    },
    async useTool(call, tool, how) {
      const client = clientOf(call)
      const body = {
        ...bodyOf(call),
        tools: [{ type: 'function' as const, function: { name: tool.name, parameters: tool.parameters } }],
      }
      const turn = async (messages: Message[]) => {
        if (how === 'plain') return (await client.create({ ...body, messages })).choices[0]?.message as Message
        return (await gathered(await client.create({ ...body, messages, stream: true }), () => {})).message
      }
      const asked = await turn(body.messages)
      const calls = 'tool_calls' in asked ? (asked.tool_calls ?? []) : []
      const results = calls.map((one): Message => {
        if (one.type !== 'function') throw new Error(`Not a call of a function: ${one.type}`)
        return { role: 'tool', tool_call_id: one.id, content: runWith(tool, one.function.arguments) }
      })
      return { text: textOf(await turn([...body.messages, asked, ...results])) }
    },
    async fill(call, schema) {
      const { choices } = await clientOf(call).create({
        ...bodyOf(call),
        response_format: { type: 'json_schema', json_schema: { name: 'filled', schema, strict: true } },
      })
      return JSON.parse(choices[0]?.message.content ?? '')
    },
    failureOf: failureOfStatus,
    cannot: {},
  }
}

const optionsOf = ({ signal }: Call) => (signal ? { signal } : {})

function bodyOf({ model, prompt, image, maxTokens = 500 }: Call) {
  const content = image
    ? [
        { type: 'text' as const, text: prompt },
        { type: 'image_url' as const, image_url: { url: image } },
      ]
    : prompt
  return { model, max_completion_tokens: maxTokens, messages: [{ role: 'user' as const, content }] as Message[] }
}

const textOf = (message: Message): string => (typeof message.content === 'string' ? message.content : '')

const spent = (usage: Usage | null | undefined): Omit<Said, 'text'> => ({
  inputTokens: usage?.prompt_tokens,
  outputTokens: usage?.completion_tokens,
  credits: usage?.credits_consumed,
})

/** A message put together from its deltas, as every user of the plain iterator does. */
async function gathered(stream: AsyncIterable<OpenAI.ChatCompletionChunk>, hear: (piece: string) => void) {
  let content = ''
  let usage: Usage | null | undefined
  const calls: { id: string; type: 'function'; function: { name: string; arguments: string } }[] = []
  for await (const chunk of stream) {
    usage = chunk.usage ?? usage
    const delta = chunk.choices[0]?.delta
    if (delta?.content) {
      content += delta.content
      hear(delta.content)
    }
    for (const { index, id, function: said } of delta?.tool_calls ?? []) {
      calls[index] ??= { id: id ?? '', type: 'function', function: { name: said?.name ?? '', arguments: '' } }
      calls[index].function.arguments += said?.arguments ?? ''
    }
  }
  const message: Message = { role: 'assistant', content, ...(calls.length > 0 && { tool_calls: calls }) }
  return { message, usage }
}
