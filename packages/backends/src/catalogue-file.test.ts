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
const simulatedOnly = 'backends: { vllm: { kind: simulated }, simulated: { kind: simulated } }\nmodels:'

test('a file becomes models that are found by id, by alias and by the target that serves them', () => {
  const catalogue = parse(good)

  expect(catalogue.backends.get('vllm')).toMatchObject({ kind: 'openai', slots: 32, idle_timeout_ms: 60_000 })
  expect(catalogue.find('gpt-4o-mini')).toBe(catalogue.find('fast'))
  expect(catalogue.find('vllm/qwen3-32b')).toBe(catalogue.find('fast'))
  expect(catalogue.find('fast')?.price).toEqual({ input: 150_000n, cachedInput: 150_000n, output: 600_000n })
  expect(catalogue.find('fast')?.targets).toMatchObject([{ quotaGroup: 'vllm' }])
  expect(catalogue.auto.candidates).toMatchObject([{ model: { id: 'toy' } }])
  expect(catalogue.find('nothing')).toBeUndefined()
})

test('a price has a part for whatever a backend can be paid for', () => {
  const tokens = 'input: 3, cached_input: 0.3, cache_write: 3.75, output: 15, reasoning: 12.000001'
  const price = `price: { ${tokens}, image: 0.001, request: 0.0001, minimum: 0.00001, batch_discount: 50 }`

  expect(parse(good.replace('price: { input: 0, output: 0 }', price)).find('toy')?.price).toEqual({
    input: 3_000_000n,
    cachedInput: 300_000n,
    cacheWrite: 3_750_000n,
    output: 15_000_000n,
    reasoning: 12_000_001n,
    image: 1_000_000_000n,
    request: 100_000_000n,
    minimum: 10_000_000n,
    batchDiscount: 50,
  })
})

test('without a default model it is the cheapest of those that are real, or the first of those that are not', () => {
  const { auto } = parse(good.replace('default_model: toy', ''))
  const madeUp = parse(
    good.slice(good.indexOf('models:')).replace('default_model: toy', '').replace(/.*/, simulatedOnly),
  )

  expect(auto).toMatchObject({ pick: 'cheapest', candidates: [{ model: { id: 'fast' } }] })
  expect(madeUp.auto).toMatchObject({ pick: 'first', candidates: [{ model: { id: 'fast' } }] })
})

test.each([
  ['a misspelt field', 'slots: 32', 'slot: 32', '3:93: backends.vllm.slot: is not known here; did you mean slots?'],
  ['a kind that does not exist', 'kind: simulated', 'kind: magic', '4:16: backends.simulated.kind: '],
  ['an unknown backend', 'backend: vllm', 'backend: vlm', '8:17: models[0].targets[0].backend: names no backend: vlm'],
  ['an alias taken by an id', '[gpt-4o-mini]', '[toy]', '12:5: models[1].id: is already the name of a model: toy'],
  ['an alias used twice', '[gpt-4o-mini]', '[a, a]', '7:18: models[0].aliases[1]: is already'],
  ['an odd id', 'id: fast', 'id: "fa st"', '6:5: models[0].id: must be 1 to 128'],
  ['an id with a meaning of its own', 'id: fast', 'id: auto', '6:5: models[0].id: must not be "auto"'],
  ['a price that is not said', 'price: { input: 0, output: 0 }', '', '12:5: models[1].price: is missing; say 0'],
  [
    'half a price',
    'price: { input: 0, output: 0 }',
    'price: { input: 0 }',
    '14:5: models[1].price.output: is missing; say 0',
  ],
  ['a price finer than can be billed', '0.15,', '0.1500000000000000001,', '9:14: models[0].price.input: is finer'],
  [
    'a price beyond what books can hold',
    '0.60,',
    '1000000001,',
    '9:27: models[0].price.output: is more than a thousand',
  ],
  [
    'an image for less than the books can tell',
    'input: 0, output: 0 }',
    'input: 0, output: 0, image: 1e-7 }',
    '14:35: models[1].price.image: is finer than one microcredit',
  ],
  [
    'more discount than there is',
    'input: 0, output: 0 }',
    'input: 0, output: 0, batch_discount: 101 }',
    '14:35: models[1].price.batch_discount: must be a whole number of percent',
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
  [
    'a capability that does not exist',
    'context_window: 131072',
    'capabilities: [magic]\n    context_window: 131072',
    '11:20: models[0].capabilities[0]: must be one of: tools, ',
  ],
  ['a weight of nothing', 'model: qwen3-32b', 'model: q, weight: 0', '8:42: models[0].targets[0].weight: '],
  [
    'a condition that cannot hold',
    'model: qwen3-32b',
    'model: q, when: { min_prompt_tokens: 9, max_prompt_tokens: 8 }',
    '8:72: models[0].targets[0].when.max_prompt_tokens: must not be smaller',
  ],
  [
    'a ceiling that is no amount',
    'model: qwen3-32b',
    'model: q, when: { max_price: much }',
    '8:50: models[0].targets[0].when.max_price: must be a number of credits',
  ],
  [
    'a model that may run nowhere',
    'model: qwen3-32b',
    'model: q, when: { max_price: 1 }',
    '8:5: models[0].targets: must have one without max_price',
  ],
  [
    'a default beyond the bounds',
    'context_window: 131072',
    'defaults: { temperature: 1.5 }\n    bounds: { temperature: { max: 1 } }\n    context_window: 131072',
    '11:17: models[0].defaults.temperature: is out of the bounds',
  ],
  [
    'a default beyond the output',
    'context_window: 131072',
    'defaults: { max_tokens: 9000 }\n    context_window: 131072',
    '11:17: models[0].defaults.max_tokens: is out of',
  ],
  [
    'bounds upside down',
    'context_window: 131072',
    'bounds: { n: { min: 2, max: 1 } }\n    context_window: 131072',
    '11:28: models[0].bounds.n.max: must not be below min',
  ],
  [
    'a role that does not exist',
    'context_window: 131072',
    'roles: [narrator]\n    context_window: 131072',
    '11:13: models[0].roles[0]: ',
  ],
  [
    'a rule for an unknown model',
    'default_model: toy',
    'rules: [{ id: r, models: [fast, tiny] }]',
    '17:33: rules[0].models[1]: names no model: tiny',
  ],
  [
    'a case for an unknown model',
    'default_model: toy',
    'rules: [{ id: r, models: [fast], when: [{ if: {}, models: [{ model: tiny }] }] }]',
    '17:62: rules[0].when[0].models[0].model: names no model: tiny',
  ],
  [
    'a rule by the name of a model',
    'default_model: toy',
    'rules: [{ id: toy, models: [fast] }]',
    '17:11: rules[0].id: is already the name of a model: toy',
  ],
  [
    'a rule without models',
    'default_model: toy',
    'rules: [{ id: r, models: [] }]',
    '17:18: rules[0].models: must name at least one model',
  ],
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

test.each([
  [
    'of a model',
    'price: { input: 0.15',
    'capabilities: [tools, seed]\n    price: { input: 0.15',
    /9:27: models\[0\]\.capabilities\[1\]: is nothing that any of its backends can be asked for: seed/,
  ],
  [
    'of a target',
    'model: qwen3-32b',
    'model: q, capabilities: [logprobs]',
    /8:57: models\[0\]\.targets\[0\]\.capabilities\[0\]: is nothing that a backend of kind anthropic/,
  ],
])('a capability %s that its backends have no words for is named with its place', (_of, from, to, problem) => {
  const claude = good.replace('kind: openai, base_url: http://127.0.0.1:8000/v1', 'kind: anthropic')

  expect(() => parse(claude.replace(from, to))).toThrow(problem)
})

test('a model can do what its backends can, or what is said of it', () => {
  const catalogue = parse(
    good
      .replace('model: qwen3-32b', 'model: q, capabilities: [audio], quota_group: lab')
      .replace('max_output_tokens: 100', 'max_output_tokens: 100\n    capabilities: [vision]'),
  )

  expect(parse(good).find('fast')?.capabilities).not.toContain('audio')
  expect(catalogue.find('fast')).toMatchObject({ capabilities: ['audio'], targets: [{ quotaGroup: 'lab' }] })
  expect(catalogue.find('toy')).toMatchObject({ capabilities: ['vision'] })
})

test('names of targets lead to the model, to the target alone where that is allowed, or nowhere', () => {
  const allowed = parse(`${good}direct: true`)
  const denied = parse(`${good}direct: false`)
  const mixed = parse(`${good.replace('id: toy', 'id: toy\n    direct: false')}direct: true`)

  expect(allowed.find('vllm/qwen3-32b')).toMatchObject({ id: 'fast', only: 'vllm/qwen3-32b' })
  expect(denied.find('vllm/qwen3-32b')).toBeUndefined()
  expect([mixed.find('vllm/qwen3-32b')?.only, mixed.find('simulated/toy')]).toEqual(['vllm/qwen3-32b', undefined])
})
