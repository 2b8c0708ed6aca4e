import { AIMessage, type AIMessageChunk, type BaseMessage, HumanMessage, ToolMessage } from '@langchain/core/messages'
import { ChatOpenAI } from '@langchain/openai'
import { type Call, type Client, type Said, failureOfStatus } from '../client.ts'

/** Its own default is 6, which would only make its waits longer. */
const RETRIES = 2

/** LangChain's chat model for OpenAI. */
export const langchain: Client = {
  name: 'LangChain',
  packages: ['@langchain/openai', '@langchain/core'],
  dialect: 'openai',
  note: `\`maxRetries: ${RETRIES}\` instead of 6`,
  async ask(call) {
    return saidIn(await modelOf(call).invoke([messageOf(call)], optionsOf(call)))
  },
  async stream(call, hear) {
    return saidIn(await heard(await modelOf(call).stream([messageOf(call)], optionsOf(call)), hear))
  },
  async useTool(call, { name, description, parameters, run }, how) {
    const model = modelOf(call).bindTools([{ type: 'function', function: { name, description, parameters } }])
    const turn = async (messages: BaseMessage[]) =>
      how === 'plain' ? model.invoke(messages) : heard(await model.stream(messages), () => {})
    const question = messageOf(call)
    const asked = await turn([question])
    const results = (asked.tool_calls ?? []).map(
      ({ id = '', args }) => new ToolMessage({ tool_call_id: id, content: run(args) }),
    )
    const calls = new AIMessage({ content: asked.content, tool_calls: asked.tool_calls ?? [] })
    return saidIn(await turn([question, calls, ...results]))
  },
  async fill(call, schema) {
    const structured = modelOf(call).withStructuredOutput({ title: 'filled', ...schema }, { method: 'jsonSchema' })
    return structured.invoke([messageOf(call)])
  },
  failureOf: failureOfStatus,
  cannot: {},
}

const modelOf = ({ url, apiKey, model, maxTokens = 500, timeoutMs, maxRetries = RETRIES }: Call) =>
  new ChatOpenAI({
    model,
    apiKey,
    maxTokens,
    maxRetries,
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
    configuration: { baseURL: `${url}/v1` },
  })

const optionsOf = ({ signal }: Call) => (signal ? { signal } : {})

const messageOf = ({ prompt, image }: Call) =>
  new HumanMessage(
    image
      ? {
          content: [
            { type: 'text', text: prompt },
            { type: 'image_url', image_url: { url: image } },
          ],
        }
      : prompt,
  )

async function heard(stream: AsyncIterable<AIMessageChunk>, hear: (piece: string) => void): Promise<AIMessageChunk> {
  let whole: AIMessageChunk | undefined
  for await (const piece of stream) {
    if (piece.text) hear(piece.text)
    whole = whole ? whole.concat(piece) : piece
  }
  if (!whole) throw new Error('The stream was empty')
  return whole
}

function saidIn(message: AIMessage | AIMessageChunk): Said {
  const { usage } = message.response_metadata as { usage?: { credits_consumed?: number } }
  return {
    text: message.text,
    inputTokens: message.usage_metadata?.input_tokens,
    outputTokens: message.usage_metadata?.output_tokens,
    credits: usage?.credits_consumed,
  }
}
