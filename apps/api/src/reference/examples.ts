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

/** By path, for POST. */
export const examples: Readonly<Record<string, Examples>> = {
  '/v1/chat/completions': chat,
  '/v1/messages': message,
  '/v1/messages/count_tokens': {
    prompt: { summary: 'A prompt', value: { model: 'auto', system: 'You are brief.', messages } },
  },
}
