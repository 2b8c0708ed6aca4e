import type { Answer, Voice } from './answer.ts'

const finishReasons = { stop: 'stop', tool: 'tool_calls', length: 'length', refusal: 'stop' } as const
const absurd = { prompt_tokens: -7, completion_tokens: 'many', total_tokens: 1e308 }

/** Speaks as a server of OpenAI's chat completions does. */
export const openaiVoice: Voice = {
  events(answer, model) {
    const head = { id: 'chatcmpl-mock', object: 'chat.completion.chunk', created: 1_700_000_000, model }
    const event = (more: object) => `data: ${JSON.stringify({ ...head, ...more })}\n\n`
    const choice = (delta: object, finish_reason: string | null = null) =>
      event({ choices: [{ index: 0, delta, finish_reason, logprobs: null }] })
    return [
      choice({ role: 'assistant', content: null }),
      ...deltasOf(answer).map((delta) => choice(delta)),
      choice({}, finishReasons[answer.finish]),
      ...(answer.usage === 'none' ? [] : [event({ choices: [], usage: usageOf(answer.usage) })]),
      'data: [DONE]\n\n',
    ]
  },
  refusal: (status, message) => ({
    error: { message, type: status >= 500 ? 'server_error' : 'invalid_request_error', param: null, code: null },
  }),
}

function deltasOf({ reasoning = [], refusal = [], text = [], calls = [] }: Answer): object[] {
  return [
    ...reasoning.map((reasoning_content) => ({ reasoning_content })),
    ...refusal.map((piece) => ({ refusal: piece })),
    ...text.map((content) => ({ content })),
    ...calls.flatMap(({ id, name, arguments: pieces }, index) => [
      { tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] },
      ...pieces.map((piece) => ({ tool_calls: [{ index, function: { arguments: piece } }] })),
    ]),
  ]
}

function usageOf(usage: Exclude<Answer['usage'], 'none'>): object {
  if (usage === 'absurd') return absurd
  const { input, output } = usage
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output }
}
