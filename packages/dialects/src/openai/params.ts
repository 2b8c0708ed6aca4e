import type { ParamOf, Refusable } from '../dialect.ts'
import type { Fields } from '../fields.ts'
import { imagePathOf } from '../image-path.ts'

const params: Partial<Record<Refusable, string>> = {
  custom_tools: 'tools',
  vision: 'messages',
  images: 'messages',
  audio: 'messages',
  files: 'messages',
  json_object: 'response_format',
  json_schema: 'response_format',
  reasoning: 'reasoning_effort',
  choices: 'n',
  penalties: 'frequency_penalty',
  maxOutputTokens: 'max_completion_tokens',
  topP: 'top_p',
  topK: 'top_k',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
}

export const paramOf: ParamOf = (what) => params[what] ?? what

/** Two names of one thing: which of them the client knows is what it sent. */
export const paramIn =
  (body: Fields): ParamOf =>
  (what, nth) => {
    if (what === 'maxOutputTokens' && body['max_completion_tokens'] === undefined && body['max_tokens'] !== undefined)
      return 'max_tokens'
    if (what === 'penalties' && !body['frequency_penalty']) return 'presence_penalty'
    const image = nth === undefined ? undefined : imagePathOf(body, 'image_url', nth)
    return image ?? paramOf(what)
  }
