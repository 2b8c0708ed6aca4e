import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clients } from './adapters/index.ts'
import { compatibilityPage, pageFile } from './compatibility-page.ts'
import { features } from './features.ts'
import { kinds } from './mock-backend/answer.ts'
import { modelNamed, occupy, openPlace, type Place } from './place.ts'
import { copyFor, refusals } from './refusals.ts'
import { type Results, keepResults, resultsOf } from './results.ts'
import { type Matrix, runMatrix } from './run-matrix.ts'

const copies = clients.map(({ name }) => copyFor(name))
let place: Place
let matrix: Matrix
let results: Results

beforeAll(async () => {
  place = await openPlace([
    ...['echo', 'bytewise', 'tool', 'json', 'image', 'slow', 'break', 'eof', 'hang'].map((script) => ({ script })),
    ...['http-500', 'http-529'].map((script) => ({ script, copies })),
  ])
  await occupy(place, modelNamed('openai', 'hang'))
  matrix = await runMatrix(place, clients)
  results = resultsOf(matrix, clients)
  keepResults(results)
}, 240_000)
afterAll(() => place?.[Symbol.asyncDispose]())

const names = clients.map(({ name }) => name)
const rows = names.flatMap((client) => features.map(({ name }) => [client, name] as const))

test.each(rows)('%s: %s, on both kinds of backends', (client, feature) => {
  const cells = matrix.features.filter((cell) => cell.client.name === client && cell.feature.name === feature)

  expect(cells.map(({ backend }) => backend)).toEqual(kinds)
  for (const { outcome } of cells) if (outcome.kind === 'fails') throw outcome.error
})

test.each(names.flatMap((client) => refusals.map(({ status, why }) => [client, status, why] as const)))(
  '%s meets a %i for %s',
  (client, status) => {
    const cell = matrix.refusals.find((each) => each.client.name === client && each.refusal.status === status)

    if (cell?.outcome.kind === 'fails') throw cell.outcome.error
    expect(cell?.outcome).toMatchObject({ kind: 'works', value: { status } })
  },
)

test('docs/compatibility.md says what was seen here', () => {
  expect(readFileSync(pageFile, 'utf8')).toBe(compatibilityPage(results))
})
