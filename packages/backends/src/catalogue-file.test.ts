import { expect, test } from 'vitest'
import { parseCatalogueFile } from './catalogue-file.ts'

const secrets: Record<string, string> = { VLLM_API_KEY: 'secret' }
const parse = (text: string) => parseCatalogueFile(text, 'weir.yaml', (name) => secrets[name])

const good = `
backends:
  vllm:      { kind: openai, base_url: http://127.0.0.1:8000/v1, api_key_env: VLLM_API_KEY, slots: 32 }
  simulated: { kind: simulated, tokens_per_second: 50 }
models:
  - id: fast
    aliases: [gpt-4o-mini]
    targets: [{ backend: vllm, model: qwen3-32b }]
    price: { input: 0.15, output: 0.60, per: 1000000 }
    max_output_tokens: 8192
    context_window: 131072
  - id: toy
    targets: [{ backend: simulated, model: toy }]
    price: { input: 0, output: 0 }
    max_output_tokens: 100
    context_window: 1000
default_model: toy
`

test('a file becomes models that are found by id, by alias and by the target that serves them', () => {
  const catalogue = parse(good)

  expect(catalogue.backends.get('vllm')).toMatchObject({ kind: 'openai', slots: 32, idle_timeout_ms: 60_000 })
  expect(catalogue.find('gpt-4o-mini')).toBe(catalogue.find('fast'))
  expect(catalogue.find('vllm/qwen3-32b')).toBe(catalogue.find('fast'))
  expect(catalogue.find('fast')?.price).toEqual({ input: 150_000n, cachedInput: 150_000n, output: 600_000n })
  expect(catalogue.default.id).toBe('toy')
  expect(catalogue.find('nothing')).toBeUndefined()
})

test('without a default model the first one is it', () => {
  expect(parse(good.replace('default_model: toy', '')).default.id).toBe('fast')
})

test.each([
  ['a misspelt field', 'slots: 32', 'slot: 32', '3:93: backends.vllm.slot: is not a field'],
  ['a kind that does not exist', 'kind: simulated', 'kind: magic', '4:16: backends.simulated.kind: '],
  ['an unknown backend', 'backend: vllm', 'backend: vlm', '8:17: models[0].targets[0].backend: names no backend: vlm'],
  ['an alias taken by an id', '[gpt-4o-mini]', '[toy]', '12:5: models[1].id: is already the name of a model: toy'],
  ['an alias used twice', '[gpt-4o-mini]', '[a, a]', '7:18: models[0].aliases[1]: is already'],
  ['an odd id', 'id: fast', 'id: "fa st"', '6:5: models[0].id: must be 1 to 128'],
  ['an id with a meaning of its own', 'id: fast', 'id: auto', '6:5: models[0].id: must not be "auto"'],
  ['a price that is not said', 'price: { input: 0, output: 0 }', '', '12:5: models[1].price: is missing; say 0'],
  ['half a price', 'price: { input: 0, output: 0 }', 'price: { input: 0 }', '14:5: models[1].price.output: must be'],
  ['a price finer than can be billed', '0.15,', '0.1500000000000000001,', '9:14: models[0].price.input: is finer'],
  [
    'a price beyond what books can hold',
    '0.60,',
    '1000000001,',
    '9:27: models[0].price.output: is more than a thousand',
  ],
  [
    'more tokens than can be priced',
    'context_window: 1000',
    'context_window: 1e10',
    '16:5: models[1].context_window: ',
  ],
  [
    'a variable that is not set',
    'VLLM_API_KEY',
    'OTHER_KEY',
    '3:66: backends.vllm.api_key_env: the environment variable OTHER_KEY is not set',
  ],
  ['a secret in an address', 'http://127', 'http://me:pw@127', '3:30: backends.vllm.base_url: must not hold a secret'],
  [
    'more output than fits',
    'max_output_tokens: 8192',
    'max_output_tokens: 200000',
    '10:5: models[0].max_output_tokens: ',
  ],
  [
    'made-up answers among real ones',
    'model: qwen3-32b }',
    'model: q }, { backend: simulated, model: s }',
    '8:5: models[0].targets: must not mix',
  ],
  ['an unknown default', 'default_model: toy', 'default_model: toys', '17:1: default_model: names no model: toys'],
  ['no models', good.slice(good.indexOf('models:')), 'models: []', '5:1: models: must list at least one'],
])('%s is named with its place', (_what, from, to, problem) => {
  expect(() => parse(good.replace(from, to))).toThrow(`weir.yaml:${problem}`)
})

test('all problems of a file are told at once', () => {
  const bad = good.replace('slots: 32', 'slots: 0').replace('0.15', '-1').replace('backend: simulated', 'backend: sim')

  expect(() => parse(bad)).toThrow(/backends\.vllm\.slots[^]*models\[0\]\.price\.input[^]*models\[1\]\.targets\[0\]/)
})

test('text that is not YAML, or nothing at all, is refused with its place', () => {
  expect(() => parse('backends: {\nmodels: ]')).toThrow(/weir\.yaml:2:\d+: /)
  expect(() => parse('')).toThrow('weir.yaml:1:1: ')
})
