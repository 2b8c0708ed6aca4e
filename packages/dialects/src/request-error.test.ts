import { expect, test } from 'vitest'
import { z } from 'zod'
import { MessagesRequest } from './anthropic/request.ts'
import { ChatCompletionRequest } from './openai/request.ts'
import { checked } from './request-error.ts'

const messages = [{ role: 'user', content: 'Hello' }]
const hello = { messages }
const said = (schema: z.ZodType, body: unknown) => checked(schema, body).error?.message

test.each<[unknown, string]>([
  [{}, "Missing required parameter: 'messages'."],
  [{ messages: [{ content: 'Hello' }] }, "Missing required parameter: 'messages[0].role'."],
  [{ messages: [{ role: 'user' }] }, "Missing required parameter: 'messages[0].content'."],
  [{ messages: 'Hello' }, "Invalid type for 'messages': expected an array, but got a string instead."],
  [{ messages: ['Hello'] }, "Invalid type for 'messages[0]': expected an object, but got a string instead."],
  [{ ...hello, temperature: 'hot' }, "Invalid type for 'temperature': expected a number, but got a string instead."],
  [{ ...hello, n: 1.5 }, "Invalid type for 'n': expected an integer, but got a decimal instead."],
  [{ ...hello, stream: 1 }, "Invalid type for 'stream': expected a boolean, but got an integer instead."],
  [{ ...hello, stream: null }, "Invalid type for 'stream': expected a boolean, but got null instead."],
  [{ ...hello, tools: {} }, "Invalid type for 'tools': expected an array, but got an object instead."],
  [{ ...hello, metadata: [] }, "Invalid type for 'metadata': expected an object, but got an array instead."],
  [{ ...hello, temperature: 3 }, "Invalid 'temperature': must be at most 2."],
  [{ ...hello, n: 0 }, "Invalid 'n': must be at least 1."],
  [{ ...hello, model: '' }, "Invalid 'model': must not be empty."],
  [{ ...hello, user: 'x'.repeat(513) }, "Invalid 'user': must have at most 512 characters."],
  [{ messages: [] }, "Invalid 'messages': must not be empty."],
  [{ ...hello, verbosity: 'no' }, "Invalid value for 'verbosity': supported values are 'low', 'medium' and 'high'."],
  [
    { messages: [{ role: 'robot', content: '' }] },
    "Invalid value for 'messages[0].role': supported values are 'system', 'developer', 'user', 'assistant', 'tool' and 'function'.",
  ],
  [{ ...hello, stop: 7 }, "Invalid 'stop': must be a string or 1 to 4 strings."],
  [{ ...hello, logit_bias: { word: 1 } }, "Invalid 'logit_bias.word': its name must be the id of a token."],
  [{ ...hello, metadata: { '': 'a' } }, "Invalid 'metadata.': its name must not be empty."],
  [{ ...hello, functions: [] }, "'functions' is deprecated and not supported: use tools."],
  [[], 'The request body must be a JSON object.'],
  [undefined, 'The request body must be a JSON object.'],
])('what is wrong with %j is said in plain words', (body, message) => {
  expect(said(ChatCompletionRequest, body)).toBe(message)
})

test.each<[object, string]>([
  [hello, "Missing required parameter: 'max_tokens'."],
  [{ messages, max_tokens: '5' }, "Invalid type for 'max_tokens': expected a number, but got a string instead."],
  [
    { messages: [{ role: 'user', content: [{ type: 'text' }] }], max_tokens: 5 },
    "Missing required parameter: 'messages[0].content[0].text'.",
  ],
  [{ messages, max_tokens: 5, speeed: 1 }, "Unknown parameter: 'speeed'."],
  [
    { messages, max_tokens: 5, output_config: { effort: 'minimal' } },
    "Invalid value for 'output_config.effort': supported values are 'low', 'medium', 'high', 'xhigh' and 'max'.",
  ],
])('so is what is wrong with the message %j', (body, message) => {
  expect(said(MessagesRequest, body)).toBe(message)
})

test('words that a schema has of its own are kept, and one without any is not left with those of its library', () => {
  const schema = z.object({ at: z.iso.date({ error: 'must be a day' }).optional(), hex: z.hex().optional() })

  expect(said(schema, { at: 'soon' })).toBe("Invalid 'at': must be a day.")
  expect(said(schema, { hex: 'zz' })).toBe("Invalid 'hex': has not the form that is needed.")
})
