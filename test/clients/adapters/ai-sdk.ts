import {
  type LanguageModel,
  Output,
  type ModelMessage,
  generateText,
  isStepCount,
  jsonSchema,
  streamText,
  tool,
} from 'ai'
import type { Call, Client, DialectName, Failure, Said } from '../client.ts'

type Options = {
  name: string
  packageName: string
  dialect: DialectName
  note?: string
  modelOf: (call: Call) => LanguageModel
  cannot: Client['cannot']
}

/** Vercel's AI SDK with one of its providers. */
export function aiSdk({ name, packageName, dialect, note, modelOf, cannot }: Options): Client {
  return {
    name,
    packages: ['ai', packageName],
    dialect,
    ...(note === undefined ? {} : { note }),
    async ask(call) {
      const { text, usage, finalStep } = await generateText({
        ...askingOf(modelOf, call),
        // Providers drop what they do not know of a usage, as credits are.
        include: { responseBody: true },
      })
      return saidIn(text, usage, creditsIn(finalStep.response.body))
    },
    async stream(call, hear) {
      const result = streamText({ ...askingOf(modelOf, call), onError: () => {}, includeRawChunks: true })
      let text = ''
      let credits: number | undefined
      for await (const part of result.stream) {
        if (part.type === 'error') throw part.error
        if (part.type === 'raw') credits = creditsIn(part.rawValue) ?? credits
        if (part.type !== 'text-delta') continue
        text += part.text
        hear(part.text)
      }
      return saidIn(text, await result.usage, credits)
    },
    async useTool(call, { name: toolName, description, parameters, run }, how) {
      const tools = {
        [toolName]: tool({
          description,
          inputSchema: jsonSchema(parameters),
          execute: async (args: unknown) => run(args),
        }),
      }
      const asking = { ...askingOf(modelOf, call), tools, stopWhen: isStepCount(3) }
      return { text: how === 'plain' ? (await generateText(asking)).text : await streamText(asking).text }
    },
    async fill(call, schema) {
      const { output } = await generateText({
        ...askingOf(modelOf, call),
        output: Output.object({ schema: jsonSchema(schema) }),
      })
      return output
    },
    failureOf,
    cannot,
  }
}

function askingOf(modelOf: Options['modelOf'], call: Call) {
  const { prompt, image, maxTokens = 500, maxRetries, timeoutMs, signal } = call
  const messages: ModelMessage[] = [
    {
      role: 'user',
      content: image
        ? [
            { type: 'text', text: prompt },
            { type: 'file', data: image, mediaType: 'image/png' },
          ]
        : prompt,
    },
  ]
  return {
    model: modelOf(call),
    messages,
    maxOutputTokens: maxTokens,
    ...(maxRetries === undefined ? {} : { maxRetries }),
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
    ...(signal ? { abortSignal: signal } : {}),
  }
}

type Usage = { inputTokens: number | undefined; outputTokens: number | undefined }

const saidIn = (text: string, { inputTokens, outputTokens }: Usage, credits: number | undefined): Said => ({
  text,
  inputTokens,
  outputTokens,
  credits,
})

const creditsIn = (answer: unknown): number | undefined =>
  (answer as { usage?: { credits_consumed?: number } | null } | undefined)?.usage?.credits_consumed

/** After several tries the client wraps the last failure. */
function failureOf(error: unknown): Failure {
  const { lastError, statusCode, message } = error as { lastError?: unknown; statusCode?: number; message: string }
  return lastError ? failureOf(lastError) : { status: statusCode, message }
}
