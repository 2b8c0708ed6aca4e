import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadCatalogue } from '@weir/backends'
import { newPriceId } from '@weir/contracts'
import Fastify from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import { expect, test } from 'vitest'
import { models } from './index.ts'

const modelOf = (id: string) => ({
  id,
  targets: [{ backend: 'toys', model: 'words' }],
  price: { input: 1, output: 2 },
  max_output_tokens: 100,
  context_window: 1_000,
})
const pricedAt: Record<string, string> = { old: '2026-01-02T03:04:05.678Z', young: '2026-05-06T07:08:09.000Z' }

async function ask(url: string, rest: object, headers = {}) {
  const file = { backends: { toys: { kind: 'simulated' } }, models: [modelOf('young'), modelOf('old')], ...rest }
  await using folder = await mkdtempDisposable(join(tmpdir(), 'weir-models-'))
  const path = join(folder.path, 'weir.yaml')
  await writeFile(path, JSON.stringify(file))
  const catalogue = await loadCatalogue({ path, mustExist: true, secretOf: () => undefined, probe: async () => [] })
  const priceOf = (model: string) => ({
    id: newPriceId(),
    model,
    price: catalogue.find(model)!.price,
    effectiveAt: new Date(pricedAt[model]!),
    source: 'catalogue' as const,
  })
  await using app = Fastify()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  await app.register(models({ catalogue, prices: { priceOf } }))
  const { body } = await app.inject({ url, headers })
  return JSON.parse(body)
}

const both = { id: 'both', aliases: ['pair'], models: ['young', 'old'], pick: 'first' }

test.each([
  ['nothing is said of a default', {}],
  ['the default is a model', { default_model: 'old' }],
  ['the default is a rule', { rules: [both], default_model: 'pair' }],
])('auto is listed with what it stands for where %s', async (_, rest) => {
  const { data } = await ask('/v1/models', rest)
  const auto = await ask('/v1/models/auto', rest)

  expect(data.at(-1)).toEqual(auto)
  expect(auto).toMatchObject({ id: 'auto', owned_by: 'weir', stands_for: { models: expect.any(Array) } })
  expect(data.filter(({ id }: { id: string }) => id === 'auto')).toHaveLength(1)
})

test('a model is as old as its price, and a rule as the oldest of its models, in both APIs', async () => {
  const { data } = await ask('/v1/models', { rules: [both] })
  const page = await ask('/v1/models', { rules: [both] }, { 'anthropic-version': '2023-06-01' })

  const seconds = [pricedAt['young'], pricedAt['old'], pricedAt['old']].map((at) => Math.floor(Date.parse(at!) / 1_000))
  expect(data.slice(0, 3).map(({ created }: { created: number }) => created)).toEqual(seconds)
  expect(page.data.slice(0, 3).map(({ created_at }: { created_at: string }) => created_at)).toEqual([
    pricedAt['young'],
    pricedAt['old'],
    pricedAt['old'],
  ])
})
