import { BackendConfig, type Model, type RequestDraft } from '@weir/contracts'
import { openai } from '@weir/dialects'
import { expect, test } from 'vitest'
import { completed } from './catalogue-of.ts'
import { fitToModel } from './fit-to-model.ts'

const backends = new Map([
  ['far', BackendConfig.parse({ kind: 'openai', base_url: 'https://models.test/v1', pass_fields: ['min_p'] })],
  ['claude', BackendConfig.parse({ kind: 'anthropic' })],
  ['openai', BackendConfig.parse({ kind: 'openai', base_url: 'https://api.openai.com/v1' })],
  ['toys', BackendConfig.parse({ kind: 'simulated' })],
])
const modelOn = (backend: string, given: Partial<Model> = {}): Model =>
  completed(
    {
      id: 'fast',
      aliases: [],
      targets: [{ backend, model: 'm' }],
      price: { input: 1n, cachedInput: 1n, output: 1n },
      maxOutputTokens: 100,
      contextWindow: 1_000,
      ...given,
    },
    backends,
  )

const asking = (given: Partial<RequestDraft> = {}): RequestDraft => ({
  messages: [{ role: 'user', content: 'Why do rivers bend?' }],
  stream: false,
  ...given,
})
const fit = (draft: RequestDraft, model: Model) => fitToModel(draft, model, openai.dialect.paramOf)

test('a request gets the cap and the defaults of its model where it says nothing itself', () => {
  const model = modelOn('far', { defaults: { maxOutputTokens: 50, temperature: 0.7, reasoning: { effort: 'low' } } })

  expect(fit(asking(), modelOn('far'))).toEqual({ ...asking(), model: 'fast', maxOutputTokens: 100 })
  expect(fit(asking(), model)).toMatchObject({ maxOutputTokens: 50, temperature: 0.7, reasoning: { effort: 'low' } })
  expect(fit(asking({ maxOutputTokens: 7, temperature: 0 }), model)).toMatchObject({
    maxOutputTokens: 7,
    temperature: 0,
  })
})

test('where nothing is said of its length, an answer may be as long as a request may ask for', () => {
  const bounded = modelOn('far', { bounds: { maxOutputTokens: { max: 40 } } })

  expect(fit(asking(), bounded)).toMatchObject({ maxOutputTokens: 40 })
})

const image = { type: 'image' as const, source: { kind: 'url' as const, url: 'https://pictures.test/1.png' } }
const pictures = [{ role: 'user' as const, content: [image, image] }]
const file = { type: 'file' as const, source: { kind: 'url' as const, url: 'https://papers.test/1.pdf' } }
const papers = [{ role: 'user' as const, content: [file] }]
const tools = [{ kind: 'function' as const, name: 'look' }]
const saying = (content: string) => [{ role: 'user' as const, content }]

test.each<[string, Partial<RequestDraft>, Model, string, string]>([
  ['more output than it gives', { maxOutputTokens: 101 }, modelOn('far'), 'invalid_request', 'max_completion_tokens'],
  [
    'less output than it may',
    { maxOutputTokens: 4 },
    modelOn('far', { bounds: { maxOutputTokens: { min: 5 } } }),
    'invalid_request',
    'max_completion_tokens',
  ],
  [
    'a temperature above its own',
    { temperature: 1.1 },
    modelOn('far', { bounds: { temperature: { max: 1 } } }),
    'invalid_request',
    'temperature',
  ],
  [
    'a top_p below its own',
    { topP: 0.1 },
    modelOn('far', { bounds: { topP: { min: 0.5 } } }),
    'invalid_request',
    'top_p',
  ],
  [
    'more choices than it gives',
    { choices: 3 },
    modelOn('far', { bounds: { choices: { max: 2 } } }),
    'invalid_request',
    'n',
  ],
  [
    'a penalty beyond its own',
    { presencePenalty: 2 },
    modelOn('far', { bounds: { presencePenalty: { max: 1 } } }),
    'invalid_request',
    'presence_penalty',
  ],
  [
    'tools where it has none',
    { tools },
    modelOn('far', { capabilities: ['vision'] }),
    'unsupported_parameter',
    'tools',
  ],
  [
    'a JSON object of Anthropic',
    { responseFormat: { type: 'json_object' } },
    modelOn('claude'),
    'unsupported_parameter',
    'response_format',
  ],
  [
    'a temperature that Anthropic has not',
    { temperature: 1.5 },
    modelOn('claude'),
    'unsupported_parameter',
    'temperature',
  ],
  [
    'a role that it does not take',
    { messages: [{ role: 'system', content: 'Be brief.' }] },
    modelOn('far', { roles: ['user'] }),
    'unsupported_parameter',
    'messages',
  ],
  [
    'more images than it looks at',
    { messages: pictures },
    modelOn('far', { images: { max: 1 } }),
    'invalid_request',
    'messages',
  ],
  [
    'images that it would have to fetch',
    { messages: pictures },
    modelOn('far', { images: { urls: 'refuse' } }),
    'unsupported_parameter',
    'messages',
  ],
  [
    'a file by address, which its dialect has no words for',
    { messages: papers },
    modelOn('openai'),
    'unsupported_parameter',
    'messages',
  ],
  ['a field of another vendor', { extra: { best_of: 3 } }, modelOn('far'), 'unknown_parameter', 'best_of'],
  [
    'a field of a vendor, of a simulated model',
    { extra: { min_p: 0.1 } },
    modelOn('toys'),
    'unknown_parameter',
    'min_p',
  ],
  [
    'far more than it can read',
    { messages: saying('rivers bend '.repeat(2_000)) },
    modelOn('far'),
    'context_length_exceeded',
    'messages',
  ],
  [
    'a size that no target is for',
    {},
    modelOn('far', { targets: [{ backend: 'far', model: 'm', when: { minPromptTokens: 500 } }] }),
    'invalid_request',
    'model',
  ],
])('%s is refused by name', (_what, asked, model, code, param) => {
  expect(() => fit(asking(asked), model)).toThrow(expect.objectContaining({ code, param }))
})

test.each<[string, Partial<RequestDraft>, Model]>([
  [
    'a file by address that we fetch',
    { messages: papers },
    modelOn('far', { targets: [{ backend: 'far', model: 'm', capabilities: ['files'] }] }),
  ],
  ['a field that its backend takes', { extra: { min_p: 0.1 } }, modelOn('far')],
  [
    'what one of its targets can do',
    { tools },
    modelOn('far', {
      targets: [
        { backend: 'far', model: 'm', capabilities: [] },
        { backend: 'claude', model: 'c' },
      ],
    }),
  ],
  [
    'a long prompt that another tokenizer may find short',
    { messages: saying('rivers bend '.repeat(1_000)) },
    modelOn('far'),
  ],
  ['a long line of one character, which may be few tokens', { messages: saying('-'.repeat(100_000)) }, modelOn('far')],
  [
    'a long prompt for the target that reads it',
    { messages: saying('rivers bend '.repeat(2_000)) },
    modelOn('far', {
      targets: [
        { backend: 'far', model: 'm' },
        { backend: 'far', model: 'l', contextWindow: 9_000 },
      ],
    }),
  ],
  ['no reasoning of a model that has none', { reasoning: { effort: 'none' } }, modelOn('far', { capabilities: [] })],
])('%s is not refused', (_what, asked, model) => {
  expect(fit(asking(asked), model)).toMatchObject(asked)
})
