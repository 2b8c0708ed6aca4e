import { type RequestDraft, ServiceError } from '@weir/contracts'
import { expect, test } from 'vitest'
import { parseCatalogueFile } from './catalogue-file.ts'
import { chooseModel } from './choose-model.ts'

const modelOf = (id: string, price: { input: number; output: number }, given: object = {}) => ({
  id,
  targets: [{ backend: 'far', model: id }],
  price,
  max_output_tokens: 1_000,
  context_window: 10_000,
  ...given,
})

const file = {
  backends: { far: { kind: 'openai', base_url: 'https://models.test/v1' }, toys: { kind: 'simulated' } },
  models: [
    modelOf('plain', { input: 1, output: 1 }, { aliases: ['simple'], capabilities: ['seed'] }),
    modelOf('handy', { input: 5, output: 5 }, { capabilities: ['tools', 'json_schema'] }),
    modelOf('seeing', { input: 3, output: 9 }, { capabilities: ['tools', 'vision'], direct: true }),
    modelOf('toy', { input: 0, output: 0 }, { targets: [{ backend: 'toys', model: 't' }] }),
  ],
  rules: [
    { id: 'cheap', aliases: ['cheapest'], models: ['handy', 'plain', 'seeing'] },
    {
      id: 'cases',
      models: ['handy', 'plain'],
      pick: 'first',
      when: [
        { if: { min_prompt_tokens: 2_000 }, models: ['plain'] },
        { if: { needs: ['vision'] }, models: ['seeing'] },
        { if: { needs: ['json'] }, models: ['seeing', 'handy'] },
      ],
    },
    { id: 'shared', models: [{ model: 'plain', weight: 3 }, 'handy'], pick: 'weighted' },
    { id: 'capped', models: ['handy', 'plain'], pick: 'first', max_price: 0.003 },
    { id: 'direct', models: ['far/seeing'] },
  ],
}
const open = (more: object = {}) =>
  parseCatalogueFile(JSON.stringify({ ...file, ...more }), 'weir.yaml', () => undefined)
const catalogue = open()
const priceOf = (id: string) => catalogue.find(id)!.price

const asking = (model: string | undefined, given: Partial<RequestDraft> = {}): RequestDraft => ({
  ...(model === undefined ? {} : { model }),
  messages: [{ role: 'user', content: 'Why do rivers bend?' }],
  stream: false,
  ...given,
})
const tools = [{ kind: 'function' as const, name: 'look' }]
const image = { type: 'image' as const, source: { kind: 'url' as const, url: 'https://pictures.test/1.png' } }
const seen = [{ role: 'user' as const, content: [image] }]
const long = [{ role: 'user' as const, content: 'river '.repeat(2_000) }]
const schema = { type: 'json_schema' as const, schema: {} }

const chosen = (draft: RequestDraft, from = catalogue, random?: () => number) =>
  chooseModel(from, draft, priceOf, random && { random }).id

test.each<[string, RequestDraft, string]>([
  ['a model by its id', asking('plain'), 'plain'],
  ['a model by an alias', asking('simple'), 'plain'],
  ['the cheapest of a rule', asking('cheap'), 'plain'],
  ['the cheapest by an alias of the rule', asking('cheapest'), 'plain'],
  [
    'the cheapest that can, for a short prompt with a short answer',
    asking('cheap', { tools, maxOutputTokens: 1 }),
    'seeing',
  ],
  ['the cheapest that can, for a long answer', asking('cheap', { tools, maxOutputTokens: 1_000 }), 'handy'],
  ['the first of a rule', asking('cases'), 'handy'],
  ['the first that can', asking('cases', { seed: 7 }), 'plain'],
  ['the case of a long prompt', asking('cases', { messages: long }), 'plain'],
  ['the case of an image', asking('cases', { messages: seen }), 'seeing'],
  ['the case of JSON', asking('cases', { responseFormat: schema }), 'handy'],
  ['what its ceiling allows', asking('capped', { maxOutputTokens: 1_000 }), 'plain'],
  ['what its ceiling allows when little is asked for', asking('capped', { maxOutputTokens: 1 }), 'handy'],
  ['the cheapest real one where nothing is asked for', asking(undefined), 'plain'],
  ['the cheapest real one that can', asking('auto', { messages: seen }), 'seeing'],
])('a request gets %s', (_what, draft, expected) => {
  expect(chosen(draft)).toBe(expected)
})

test('a default names a model or a rule', () => {
  expect(chosen(asking('auto'), open({ default_model: 'simple' }))).toBe('plain')
  expect(chosen(asking(undefined), open({ default_model: 'cases' }))).toBe('handy')
})

test('a default that is a rule is asked for as auto, and speaks of itself as that', () => {
  const { auto } = open({ default_model: 'cheapest' })

  expect(auto).toMatchObject({ id: 'auto', aliases: [], pick: 'cheapest', candidates: { length: 3 } })
  expect(() => chosen(asking('auto', { serviceTier: 'flex' }), open({ default_model: 'cheapest' }))).toThrow(
    "none of the models that 'auto' stands for can",
  )
})

test('a weight is a share of the requests', () => {
  const shares = Array.from({ length: 8 }, (_, i) => chosen(asking('shared'), catalogue, () => i / 8))

  expect(shares).toEqual([...Array<string>(6).fill('plain'), 'handy', 'handy'])
})

test('a target is chosen by its name, alone where the catalogue allows it', () => {
  const pinned = chooseModel(catalogue, asking('far/seeing'), priceOf)
  const led = chooseModel(catalogue, asking('far/plain'), priceOf)

  expect(pinned).toMatchObject({ id: 'seeing', only: 'far/seeing', targets: [{ backend: 'far', model: 'seeing' }] })
  expect(led.only).toBeUndefined()
  expect(chooseModel(catalogue, asking('direct'), priceOf)).toMatchObject({ only: 'far/seeing' })
  expect(() => chosen(asking('far/plain'), open({ direct: false }))).toThrow("'far/plain' does not exist")
})

test.each<[string, RequestDraft, string, string, RegExp]>([
  ['a name that nothing has', asking('nothing'), 'model_not_found', 'model', /'nothing' does not exist/],
  [
    'what no model can do',
    asking('cheap', { messages: [{ role: 'user', content: [{ type: 'audio', format: 'wav', data: '' }] }] }),
    'unsupported_parameter',
    'audio',
    /: none of the models that 'cheap' stands for can do what it asks for \(audio\)/,
  ],
  [
    'what none can do all of',
    asking('cheap', { messages: seen, responseFormat: schema }),
    'unsupported_parameter',
    'vision',
    /None of the models that 'cheap' stands for can do all of what is asked for: vision, json_schema/,
  ],
  [
    'more than any answers',
    asking('cheap', { maxOutputTokens: 1_001 }),
    'invalid_request',
    'maxOutputTokens',
    /1001 is above 1000/,
  ],
  [
    'what costs too much',
    asking('capped', { messages: long, maxOutputTokens: 1_000 }),
    'invalid_request',
    'model',
    /may cost more than 'capped' allows/,
  ],
])('%s is refused', (_what, draft, code, param, message) => {
  try {
    chosen(draft)
    expect.unreachable()
  } catch (error) {
    expect(error).toBeInstanceOf(ServiceError)
    expect(error).toMatchObject({ code, param, message: expect.stringMatching(message) })
  }
})
