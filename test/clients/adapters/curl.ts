import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type Call, type Client, type Failure, type Said, type Tool, runWith } from '../client.ts'

const NO_DELTAS = 'a script would have to put the deltas together'

/** The program itself, told to try again as often as the SDKs do by themselves. */
export const curl: Client = {
  name: 'curl',
  packages: [],
  dialect: 'openai',
  note: '`--fail-with-body --retry 2`',
  async ask(call) {
    return saidIn(JSON.parse(await run(call, bodyOf(call))) as Answer)
  },
  async stream(call, hear) {
    const said: Said = { text: '' }
    let finished = false
    const body = { ...bodyOf(call), stream: true, stream_options: { include_usage: true } }
    const readEvents = eventReader(({ choices, usage, error }) => {
      if (error) throw new Error(error.message)
      const [choice] = choices
      if (choice?.delta?.content) {
        said.text += choice.delta.content
        hear(choice.delta.content)
      }
      finished ||= Boolean(choice?.finish_reason)
      if (usage) Object.assign(said, spent(usage))
    })
    await run(call, body, readEvents)
    if (!finished) throw new Error('The stream has no finish reason')
    return said
  },
  async useTool(call, tool, how) {
    if (how === 'streamed') throw new Error(NO_DELTAS)
    return useTool(call, tool)
  },
  async fill(call, schema) {
    const response_format = { type: 'json_schema', json_schema: { name: 'filled', schema, strict: true } }
    return JSON.parse(saidIn(JSON.parse(await run(call, { ...bodyOf(call), response_format })) as Answer).text)
  },
  failureOf: (error) => error as Failure,
  cannot: { 'streamed tools': NO_DELTAS },
}

type Message = { role: string; content: unknown; tool_calls?: { id: string; function: { arguments: string } }[] }
type Usage = { prompt_tokens: number; completion_tokens: number; credits_consumed: number }
type Answer = { choices: { message: Message }[]; usage: Usage }
type Chunk = {
  choices: { delta?: { content?: string }; finish_reason: string | null }[]
  usage?: Usage | null
  error?: { message: string }
}

async function useTool(call: Call, tool: Tool): Promise<Said> {
  const { name, description, parameters } = tool
  const body = { ...bodyOf(call), tools: [{ type: 'function', function: { name, description, parameters } }] }
  const turn = async (messages: object[]) => JSON.parse(await run(call, { ...body, messages })) as Answer
  const asked = (await turn(body.messages)).choices[0]!.message
  const results = (asked.tool_calls ?? []).map(({ id, function: { arguments: json } }) => ({
    role: 'tool',
    tool_call_id: id,
    content: runWith(tool, json),
  }))
  return saidIn(await turn([...body.messages, asked, ...results]))
}

function bodyOf({ model, prompt, image, maxTokens = 500 }: Call) {
  const shown = image ? [{ type: 'image_url', image_url: { url: image } }] : []
  const content = image ? [{ type: 'text', text: prompt }, ...shown] : prompt
  return { model, max_completion_tokens: maxTokens, messages: [{ role: 'user', content }] }
}

const spent = ({ prompt_tokens, completion_tokens, credits_consumed }: Usage) => ({
  inputTokens: prompt_tokens,
  outputTokens: completion_tokens,
  credits: credits_consumed,
})

const saidIn = ({ choices, usage }: Answer): Said => ({
  text: String(choices[0]?.message.content),
  ...spent(usage),
})

/** What curl prints. It fails as curl does: with the status that was answered, or with a message of its own. */
async function run(call: Call, body: object, hear: (text: string) => void = () => {}): Promise<string> {
  const { url, apiKey, timeoutMs, maxRetries = 2, signal } = call
  const options = ['--silent', '--show-error', '--no-buffer', '--fail-with-body', '--retry', String(maxRetries)]
  const limit = timeoutMs === undefined ? [] : ['--max-time', String(timeoutMs / 1_000)]
  const headers = ['--header', `authorization: Bearer ${apiKey}`, '--header', 'content-type: application/json']
  const what = ['--data-binary', '@-', `${url}/v1/chat/completions`]
  const child = spawn('curl', [...options, ...limit, ...headers, ...what], {
    stdio: 'pipe',
    ...(signal ? { signal } : {}),
  })
  // A server that refuses early reads no more of a large body.
  child.stdin.on('error', () => {}).end(JSON.stringify(body))
  const [output, complaints, code] = await Promise.all([
    textOf(child.stdout, hear),
    textOf(child.stderr),
    once(child, 'close').then(([status]) => status as number | null),
  ])
  if (code === 0) return output
  const status = /returned error: (\d{3})/.exec(complaints)?.[1]
  throw Object.assign(new Error(`${complaints} ${output}`), { status: status && Number(status) })
}

async function textOf(stream: NodeJS.ReadableStream, hear: (text: string) => void = () => {}): Promise<string> {
  let text = ''
  for await (const piece of stream.setEncoding('utf8')) {
    text += String(piece)
    hear(String(piece))
  }
  return text
}

function eventReader(read: (chunk: Chunk) => void) {
  let rest = ''
  return (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.startsWith('data: {')) read(JSON.parse(line.slice('data: '.length)) as Chunk)
  }
}
