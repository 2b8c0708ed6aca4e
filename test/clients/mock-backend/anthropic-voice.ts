import type { Answer, Voice } from './answer.ts'

const stopReasons = { stop: 'end_turn', tool: 'tool_use', length: 'max_tokens', refusal: 'refusal' } as const
const types: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
}

/** Speaks as a server of Anthropic's messages does. */
export const anthropicVoice: Voice = {
  events(answer, model) {
    const { first, last } = usageOf(answer.usage)
    const message = { id: 'msg_mock', type: 'message', role: 'assistant', model, content: [] }
    return [
      event('message_start', { message: { ...message, stop_reason: null, stop_sequence: null, ...first } }),
      ...blocksOf(answer).flatMap(({ start, deltas }, index) => [
        event('content_block_start', { index, content_block: start }),
        ...deltas.map((delta) => event('content_block_delta', { index, delta })),
        event('content_block_stop', { index }),
      ]),
      event('message_delta', { delta: { stop_reason: stopReasons[answer.finish], stop_sequence: null }, ...last }),
      event('message_stop', {}),
    ]
  },
  refusal: (status, message) => ({
    type: 'error',
    error: { type: types[status] ?? 'api_error', message },
    request_id: 'req_mock',
  }),
}

const event = (type: string, more: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`

type Block = { start: object; deltas: object[] }

function blocksOf({ reasoning, refusal = [], text = [], calls = [] }: Answer): Block[] {
  const said = [...refusal, ...text]
  const thought: Block = {
    start: { type: 'thinking', thinking: '', signature: '' },
    deltas: [
      ...(reasoning ?? []).map((thinking) => ({ type: 'thinking_delta', thinking })),
      { type: 'signature_delta', signature: 'c2lnbmVk' },
    ],
  }
  const spoken: Block = {
    start: { type: 'text', text: '' },
    deltas: said.map((piece) => ({ type: 'text_delta', text: piece })),
  }
  return [
    ...(reasoning ? [thought] : []),
    ...(said.length > 0 ? [spoken] : []),
    ...calls.map(({ id, name, arguments: pieces }) => ({
      start: { type: 'tool_use', id, name, input: {} },
      deltas: pieces.map((partial_json) => ({ type: 'input_json_delta', partial_json })),
    })),
  ]
}

function usageOf(usage: Answer['usage']): { first: object; last: object } {
  if (usage === 'none') return { first: {}, last: {} }
  if (usage === 'absurd')
    return { first: { usage: { input_tokens: -7, output_tokens: null } }, last: { usage: { output_tokens: 'many' } } }
  const { input, output } = usage
  return {
    first: { usage: { input_tokens: input, output_tokens: 1 } },
    last: { usage: { output_tokens: output } },
  }
}
