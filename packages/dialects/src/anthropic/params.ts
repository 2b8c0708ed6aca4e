import type { ParamOf, Refusable } from '../dialect.ts'
import type { Fields } from '../fields.ts'
import { imagePathOf } from '../image-path.ts'

const params: Partial<Record<Refusable, string>> = {
  custom_tools: 'tools',
  vision: 'messages',
  images: 'messages',
  audio: 'messages',
  files: 'messages',
  json_object: 'output_config.format',
  json_schema: 'output_config.format',
  reasoning: 'thinking',
  maxOutputTokens: 'max_tokens',
  topP: 'top_p',
  topK: 'top_k',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
}

export const paramOf: ParamOf = (what) => params[what] ?? what

/** Thinking is asked for by itself, or by the effort that it is to take. */
export const paramIn =
  (body: Fields): ParamOf =>
  (what, nth) => {
    if (what === 'reasoning' && !body['thinking']) return 'output_config.effort'
    const image = nth === undefined ? undefined : imagePathOf(body, 'image', nth)
    return image ?? paramOf(what)
  }
