import { expect, test } from 'vitest'
import { readCatalogueFile } from './catalogue-file.ts'

const read = (text: string) => readCatalogueFile(text, 'weir.yaml', () => undefined)
const mistakesIn = (text: string) => read(text).mistakes.map((line) => line.replace('weir.yaml:', ''))

const model = (fields: string, id = 'fast') => `
  - id: ${id}
    targets: [{ backend: sim, model: toy }]
    price: { input: 1, output: 1 }
    max_output_tokens: 100
    context_window: 1000
    ${fields}`
const file = (fields: string, rest = '') => `backends: { sim: { kind: simulated } }\nmodels:${model(fields)}\n${rest}`

test('mistakes of form hide none of meaning, in whatever part of the file', () => {
  const text = `
backends:
  sim: { kind: simulated, latency: 5 }
  far: { kind: openai, base_url: here, api_key_env: FAR_KEY }
  odd: { kind: openia }
models:
  - id: fast
    targets: [{ backend: sim, model: 3 }, { backend: sims, model: toy }]
    price: { input: free, outputs: 1 }
    max_output_tokens: 2000
    context_window: "1000"
    capabilities: [tool]
    bounds: { temperature: { max: 3 } }
  - id: slow
    targets: [{ backend: sim, model: toy }]
    price: { input: 1, output: 1 }
    max_output_tokens: 2000
    context_window: 1000
rules:
  - { id: any, models: [fats, { modell: slow }], pick: last }
default_model: other
direct: maybe
`

  expect(mistakesIn(text)).toEqual([
    '3:27: backends.sim.latency: is not known here; did you mean latency_ms?',
    '4:24: backends.far.base_url: must be a URL',
    '4:40: backends.far.api_key_env: the environment variable FAR_KEY is not set',
    '5:10: backends.odd.kind: must be one of: openai, anthropic, simulated',
    '8:31: models[0].targets[0].model: must be text: put quotes around it',
    '8:45: models[0].targets[1].backend: names no backend: sims; did you mean sim?',
    '9:14: models[0].price.input: must be a number of credits, 0 or more',
    '9:27: models[0].price.outputs: is not known here; did you mean output?',
    '11:5: models[0].context_window: must be a whole number from 1 to 1000000000, without quotes',
    expect.stringMatching(/^12:20: models\[0\]\.capabilities\[0\]: must be one of: tools, /),
    '13:30: models[0].bounds.temperature.max: must be a number from 0 to 2',
    '17:5: models[1].max_output_tokens: must not be larger than context_window',
    '20:25: rules[0].models[0]: names no model: fats; did you mean fast?',
    '20:33: rules[0].models[1].modell: is not known here; did you mean model?',
    '20:50: rules[0].pick: must be one of: cheapest, first, weighted',
    '21:1: default_model: names no model: other',
    '22:1: direct: must be true or false',
  ])
})

test('of very many mistakes the first are told, and how many more there are', () => {
  const text = `backends: { sim: { kind: simulated } }\nmodels:${model('context_windows: 1').repeat(25)}`

  const mistakes = mistakesIn(text)

  expect(mistakes).toHaveLength(21)
  expect(mistakes.at(-1)).toMatch(/^and \d\d more$/)
})

test('a misspelt field is told once, and not as missing as well', () => {
  expect(mistakesIn(file('').replace('max_output_tokens', 'max_ouput_tokens'))).toEqual([
    '6:5: models[0].max_ouput_tokens: is not known here; did you mean max_output_tokens?',
  ])
  expect(mistakesIn(file('', 'defualt_model: fast'))).toEqual([
    '9:1: defualt_model: is not known here; did you mean default_model?',
  ])
  expect(mistakesIn(file('').replace('    context_window: 1000\n', ''))).toEqual([
    '3:5: models[0].context_window: is missing',
  ])
})

test('a name that a model may have which cannot be read is not called unknown', () => {
  const text = file('', 'default_model: fast').replace('1000', 'many')

  expect(mistakesIn(text)).toEqual(['7:5: models[0].context_window: must be a whole number from 1 to 1000000000'])
  expect(mistakesIn(text.replace('id: fast', 'id: []'))).toHaveLength(2)
  expect(mistakesIn(text.replace(/models:[^]*window: many/, 'models: none'))).toEqual([
    '2:1: models: must be a list, and not an empty one',
  ])
})

test('what is there twice, or points nowhere, is told with its place', () => {
  expect(mistakesIn(`direct: true\n${file('')}\ndirect: 5`)).toEqual([
    '11:1: this field is there twice',
    '11:1: direct: must be true or false',
  ])
  expect(mistakesIn(file('defaults: *ours'))).toEqual(['8:15: there is no anchor &ours before this alias'])
})

test.each([
  [
    'a default beyond the longest answer',
    'defaults: { max_tokens: 101 }',
    /models\[0\]\.defaults\.max_tokens: is out of the bounds/,
  ],
  [
    'a bound beyond the longest answer',
    'bounds: { max_tokens: { max: 101 } }',
    /models\[0\]\.bounds\.max_tokens\.max: must not be above/,
  ],
  [
    'a default that no request may have',
    'defaults: { temperature: 2.5 }',
    /models\[0\]\.defaults\.temperature: must be a number from/,
  ],
  [
    'more choices than any API has',
    'bounds: { n: { max: 129 } }',
    /models\[0\]\.bounds\.n\.max: must be a whole number from 1 to 128/,
  ],
  [
    'a default for a parameter that the model has not',
    'capabilities: [tools]\n    defaults: { top_k: 5, frequency_penalty: 0, presence_penalty: 1, reasoning_effort: none }',
    /defaults.top_k: needs the capability top_k[^]*defaults.presence_penalty: needs the capability penalties/,
  ],
])('%s is a mistake', (_what, fields, problem) => {
  const mistakes = mistakesIn(file(fields)).join('\n')

  expect(mistakes).toMatch(problem)
  expect(mistakes).not.toContain('frequency_penalty')
})

test('a default that no backend has words for is a mistake', () => {
  const text = file('defaults: { temperature: 0.5 }').replace(
    'kind: simulated',
    "kind: anthropic, version: '2026-10-21', auth: none",
  )

  expect(mistakesIn(text)).toEqual([
    expect.stringMatching(/^8:5: models\[0\]\.defaults: would have every request refused: /),
  ])
})

test('names are taken as they are written, and two must not differ in upper and lower case alone', () => {
  const text = `backends: { sim: { kind: simulated }, SIM: { kind: simulated } }
models:${model('aliases: [Quick]')}${model('', 'quick')}
rules: [{ id: Auto, models: [Fast] }]`

  expect(mistakesIn(text)).toEqual([
    '1:39: backends.SIM: differs from sim in upper and lower case alone, which names must not: SIM',
    '9:5: models[1].id: differs from Quick in upper and lower case alone, which names must not: quick',
    '15:11: rules[0].id: must not be "auto": that asks for the default model',
    '15:30: rules[0].models[0]: names no model: Fast; did you mean fast?',
  ])
})

test('what works and is hardly meant is told beside a catalogue that is good', () => {
  const text = file('capabilities: [tools]\n    bounds: { n: { max: 4 } }').replace(
    ' } }',
    ' }, old: { kind: simulated } }',
  )

  const { catalogue, mistakes, warnings } = read(text)

  expect(catalogue?.find('fast')).toBeDefined()
  expect(mistakes).toEqual([])
  expect(warnings).toEqual([
    'weir.yaml:1:39: backends.old: is used by no model',
    'weir.yaml:9:15: models[0].bounds.n: bounds what is refused anyway: the model has not the capability choices',
  ])
})

test('a secret that is written out is told where its variable is named, and is not repeated', () => {
  const text = file('').replace('}', '}, far: { kind: openai, base_url: "http://far/v1", api_key: sk-123 }')

  const [mistake] = mistakesIn(text)

  expect(mistake).toMatch(/backends\.far\.api_key: is not known here: no secret is written here; .* in api_key_env$/)
  expect(mistake).not.toContain('sk-123')
})

test('quotes that are missing, or too many, are called by their name', () => {
  const text = file('direct: "true"').replace('simulated }', 'simulated, slots: "32" }').replace('id: fast', 'id: 3.5')

  expect(mistakesIn(text)).toEqual([
    expect.stringMatching(/backends\.sim\.slots: must be a whole number.*, without quotes$/),
    '3:5: models[0].id: must be text: put quotes around it',
    '8:5: models[0].direct: must be true or false, without quotes',
  ])
  expect(mistakesIn(file('').replace('id: fast', 'id: []'))).toEqual(['3:5: models[0].id: must be text'])
})
