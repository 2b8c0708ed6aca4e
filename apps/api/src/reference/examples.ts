/** Requests that work as they stand, with a model of any kind: each is sent to a running service by a test. */
export type Example = { summary: string; value: object }
export type Examples = Record<string, Example>

const question = 'Why do rivers bend?'
const messages = [{ role: 'user', content: question }]

const weather = {
  description: 'The weather at a place',
  schema: { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] },
}

/** A single pixel. */
const image = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

const chat: Examples = {
  plain: { summary: 'A plain call', value: { model: 'auto', messages, max_completion_tokens: 200 } },
  stream: {
    summary: 'A stream that tells its usage at its end',
    value: { model: 'auto', messages, stream: true, stream_options: { include_usage: true } },
  },
  tools: {
    summary: 'A tool that must be called',
    value: {
      model: 'auto',
      messages: [{ role: 'user', content: 'What is the weather in Basel?' }],
      tools: [
        {
          type: 'function',
          function: { name: 'weather', description: weather.description, parameters: weather.schema },
        },
      ],
      tool_choice: 'required',
    },
  },
  json: {
    summary: 'An answer that keeps to a JSON schema',
    value: {
      model: 'auto',
      messages: [{ role: 'user', content: 'Name a place.' }],
      response_format: { type: 'json_schema', json_schema: { name: 'place', schema: weather.schema } },
    },
  },
  image: {
    summary: 'An image',
    value: {
      model: 'auto',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is this?' },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${image}` } },
          ],
        },
      ],
    },
  },
  background: {
    summary: 'In the background',
    value: { model: 'auto', messages, background: true, metadata: { order: '7' } },
  },
}

const message: Examples = {
  plain: { summary: 'A plain call', value: { model: 'auto', max_tokens: 200, messages } },
  stream: { summary: 'A stream', value: { model: 'auto', max_tokens: 200, messages, stream: true } },
  tools: {
    summary: 'A tool that must be called',
    value: {
      model: 'auto',
      max_tokens: 200,
      messages: [{ role: 'user', content: 'What is the weather in Basel?' }],
      tools: [{ name: 'weather', description: weather.description, input_schema: weather.schema }],
      tool_choice: { type: 'any' },
    },
  },
  thinking: {
    summary: 'An answer that was thought about',
    value: { model: 'auto', max_tokens: 2_000, messages, thinking: { type: 'enabled', budget_tokens: 1_024 } },
  },
  image: {
    summary: 'An image',
    value: {
      model: 'auto',
      max_tokens: 200,
      system: 'You are brief.',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: image } },
            { type: 'text', text: 'What is this?' },
          ],
        },
      ],
    },
  },
  background: { summary: 'In the background', value: { model: 'auto', max_tokens: 200, messages, background: true } },
}

const ofFile = {
  input_file_id: 'file-01h455vb4pex5vsknk084sn02q',
  endpoint: '/v1/chat/completions',
  completion_window: '24h',
}

/** Of a file that its owner has. */
const batch: Examples = {
  plain: { summary: 'The requests in a file', value: { ...ofFile, metadata: { order: '7' } } },
  bounded: { summary: 'One that may cost so much and no more', value: { ...ofFile, max_credits: 2.5 } },
  dry: { summary: 'Only an estimate', value: { ...ofFile, dry_run: true } },
}

/** By path, for POST. */
export const examples: Readonly<Record<string, Examples>> = {
  '/v1/chat/completions': chat,
  '/v1/messages': message,
  '/v1/webhook_endpoints': {
    endpoint: {
      summary: 'An endpoint that is told how completions end',
      value: {
        name: 'Orders',
        url: 'https://example.com/hooks',
        event_types: ['chat.completion.completed', 'chat.completion.failed'],
      },
    },
  },
  '/v1/webhook_endpoints/{id}': {
    enable: { summary: 'Takes it into use again', value: { enabled: true } },
    change: { summary: 'Other events', value: { event_types: ['batch.completed', 'batch.failed'] } },
  },
  '/v1/webhook_endpoints/{id}/rotate_secret': {
    overlap: { summary: 'With both secrets for a day', value: { keep_old_secret_active_for_24_hours: true } },
  },
  '/v1/webhook_endpoints/{id}/redeliver': {
    failed: { summary: 'What could not be delivered', value: { since: '2026-01-31T12:00:00Z' } },
  },
  '/v1/batches': batch,
  '/v1/messages/batches': {
    plain: {
      summary: 'Two requests',
      value: {
        requests: ['first', 'second'].map((custom_id) => ({
          custom_id,
          params: { model: 'auto', max_tokens: 200, messages },
        })),
      },
    },
  },
  '/v1/messages/count_tokens': {
    prompt: { summary: 'A prompt', value: { model: 'auto', system: 'You are brief.', messages } },
  },
}
