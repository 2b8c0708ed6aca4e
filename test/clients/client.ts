export type DialectName = 'openai' | 'anthropic'

export type Call = {
  /** The origin, without `/v1`. */
  url: string
  apiKey: string
  model: string
  prompt: string
  maxTokens?: number
  /** A data URL. */
  image?: string
  signal?: AbortSignal
  /** The client's own, on one try. */
  timeoutMs?: number
  /** The client's default where absent. */
  maxRetries?: number
}

/** What a client made of an answer. */
export type Said = {
  text: string
  inputTokens?: number | undefined
  outputTokens?: number | undefined
  /** `credits_consumed`, where the client lets its caller see it. */
  credits?: number | undefined
}

export type Tool = {
  name: string
  description: string
  parameters: { type: 'object'; properties: Record<string, object>; required: string[]; additionalProperties: false }
  run(args: unknown): string
}

export type JsonSchema = Tool['parameters']

/** A failure as the client's caller sees it. The status is undefined where the client has none, as after the first byte. */
export type Failure = { status: number | undefined; message: string }

/** A client that people use, with the few calls that the matrix is about. What one cannot do is in `cannot`, with the reason. */
export type Client = {
  name: string
  /** Its npm package; undefined for a program of the machine. */
  packages: readonly string[]
  dialect: DialectName
  /** How it was set up, where a reader could not guess. */
  note?: string
  ask(call: Call): Promise<Said>
  /** `hear` gets each piece of text as it comes. */
  stream(call: Call, hear: (piece: string) => void): Promise<Said>
  /** The whole loop: the model calls the tool, its result goes back, the model answers. */
  useTool(call: Call, tool: Tool, how: 'plain' | 'streamed'): Promise<Said>
  /** What the model filled the schema with. */
  fill(call: Call, schema: JsonSchema): Promise<unknown>
  failureOf(error: unknown): Failure
  cannot: Partial<Record<'streamed tools' | 'credits' | 'streamed credits', string>>
}

/** Calls the tool with what a model wrote, as the one who has to read it. */
export const runWith = (tool: Tool, json: string): string => tool.run(JSON.parse(json))

/** The failure of clients whose errors have `status` and `message`. */
export function failureOfStatus(error: unknown): Failure {
  const { status, message } = error as { status?: number; message?: string }
  return { status, message: message ?? String(error) }
}
