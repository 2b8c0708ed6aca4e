/** One token of the mock model. Nothing in it needs escaping, so its bytes can be counted without a JSON parser. */
const TOKEN = 'token '

export const answerText = (tokens: number): string => TOKEN.repeat(tokens)

const created = 1_767_225_600
const usageOf = (tokens: number) => ({ prompt_tokens: 8, completion_tokens: tokens, total_tokens: 8 + tokens })

/** The whole answer of a plain call. */
export function plainAnswer(tokens: number): Buffer {
  const message = { role: 'assistant', content: answerText(tokens), refusal: null }
  return Buffer.from(
    JSON.stringify({
      id: 'chatcmpl-mock',
      object: 'chat.completion',
      created,
      model: 'mock',
      choices: [{ index: 0, message, logprobs: null, finish_reason: 'stop' }],
      usage: usageOf(tokens),
    }),
  )
}

/** A stream in its parts: what opens it, one token, and what ends it (finish reason, usage, [DONE]). */
export function streamedAnswer(tokens: number): { opening: Buffer; token: Buffer; ending: Buffer } {
  const ending = [chunk({}, 'stop'), event({ ...base, choices: [], usage: usageOf(tokens) }), 'data: [DONE]\n\n']
  return {
    opening: Buffer.from(chunk({ role: 'assistant', content: '' }, null)),
    token: Buffer.from(chunk({ content: TOKEN }, null)),
    ending: Buffer.from(ending.join('')),
  }
}

const base = { id: 'chatcmpl-mock', object: 'chat.completion.chunk', created, model: 'mock' }

const chunk = (delta: object, finish_reason: string | null): string =>
  event({ ...base, choices: [{ index: 0, delta, logprobs: null, finish_reason }], usage: null })

const event = (data: object): string => `data: ${JSON.stringify(data)}\n\n`
