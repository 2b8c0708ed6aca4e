import { expect, test } from 'vitest'
import { anyViolations, environmentReaders, environmentViolations, queueViolations } from './architecture/code-rules.ts'
import { cycleViolations } from './architecture/cycle-rules.ts'
import { dependencyViolations, neverImported } from './architecture/dependency-rules.ts'
import { type House, houseOf, printed, type Violation } from './architecture/house.ts'
import { computedImports, importViolations } from './architecture/import-rules.ts'
import { lintVerdicts } from './architecture/lint-verdicts.ts'
import { readHouse } from './architecture/read-house.ts'

const house = readHouse()

test('imports go down only, by the front door, to packages that are named', () => {
  expect(report(importViolations(house))).toBe('')
})

test('a dependency that a package names is imported', () => {
  expect(report(dependencyViolations(house))).toBe('')
})

test('no file leads back to itself', () => {
  expect(report(cycleViolations(house))).toBe('')
})

test('only main.ts reads the environment', () => {
  expect(report(environmentViolations(house))).toBe('')
})

test('nothing is of type any', () => {
  expect(report(anyViolations(house))).toBe('')
})

test('nobody waits for a job through the queue or removes it, and no job has a priority', () => {
  expect(report(queueViolations(house))).toBe('')
})

test('every exception is still needed', () => {
  const readers = house.sources.filter(({ readsEnvironment }) => readsEnvironment.length > 0).map(({ path }) => path)
  const computing = house.sources.filter(({ computedImports: lines }) => lines.length > 0).map(({ path }) => path)
  const named = house.packages.flatMap(({ name, dependencies }) => dependencies.map((one) => `${name}: ${one}`))

  expect(readers).toEqual(expect.arrayContaining(Object.keys(environmentReaders)))
  expect(computing).toEqual(expect.arrayContaining(Object.keys(computedImports)))
  expect(named).toEqual(expect.arrayContaining(Object.keys(neverImported)))
})

test('the linter says the same of every import between rooms', async () => {
  const { byLinter, byRules } = await lintVerdicts(house)
  expect(byLinter).toEqual(byRules)
})

// From here on: houses that break one rule each.

test.each([
  [
    'packages/ledger/src/a.ts',
    '@weir/queue',
    'packages/ledger may import @weir/outbound, @weir/dialects, @weir/runtime',
  ],
  ['packages/ledger/src/a.ts', '@weir/completions', 'packages/ledger may import'],
  ['packages/dialects/src/a.ts', '@weir/runtime', 'packages/dialects may import @weir/contracts'],
  ['packages/contracts/src/a.ts', '@weir/dialects', 'packages/contracts may import no room'],
  ['packages/completions/src/a.ts', '@weir/api', 'packages/completions may import'],
  ['apps/api/src/a.ts', '@weir/worker', 'apps/api may import'],
  ['apps/api/src/a.ts', '@weir/local', 'apps/api may import'],
  ['apps/api/src/a.ts', '@weir/test', 'apps/api may import'],
  ['infra/local/src/a.ts', '@weir/store', 'infra/local may import @weir/runtime, @weir/contracts'],
  ['test/e2e/a.test.ts', '@weir/ledger', 'test may import @weir/local, @weir/runtime, @weir/contracts'],
  ['packages/ledger/src/a.ts', '@weir/local/testing', 'what runs in production knows no tests'],
  ['packages/ledger/src/a.ts', '@weir/contracts/src/ids.ts', '@weir/contracts is entered by its door'],
  ['packages/ledger/src/a.ts', '@weir/ledger', 'a room reaches its own files by relative paths'],
  ['packages/ledger/src/a.ts', '../../contracts/src/index.ts', 'a relative path stays in packages/ledger'],
  ['packages/ledger/src/a.ts', './gone.ts', 'there is no file packages/ledger/src/gone.ts'],
  ['packages/ledger/src/a.ts', './index.test.ts', 'what runs in production knows no tests'],
  ['packages/ledger/src/a.ts', 'lodash', 'packages/ledger/package.json does not name lodash'],
  ['packages/ledger/src/a.ts', 'vitest', 'a devDependency is for tests'],
  ['packages/ledger/src/a.ts', 'undici', 'only @weir/backends and @weir/outbound may import undici'],
  ['packages/ledger/src/a.ts', 'fs', 'a module of Node is imported as node:fs'],
  ['packages/ledger/src/a.ts', '/usr/lib/a.ts', 'a package is imported by its name'],
  ['packages/cellar/src/a.ts', '@weir/contracts', '@weir/cellar is not on the map of rooms'],
  ['packages/attic/src/a.ts', 'node:fs', 'every file belongs to a package'],
])('%s must not import %s', (path, specifier, rule) => {
  const found = importViolations(houseWith({ [path]: `\nimport '${specifier}'` }))

  const what = rule === 'every file belongs to a package' ? `${path}:1 is there` : `${path}:2 imports ${specifier}`
  expect(found.map(printed)).toEqual(expect.arrayContaining([expect.stringContaining(`${what}: ${rule}`)]))
})

test.each([
  ['a type', `import type { A } from '@weir/queue'`],
  ['a re-export', `export * from '@weir/queue'`],
  ['a named re-export', `export { a } from '@weir/queue'`],
  ['a dynamic import', `const a = await import('@weir/queue')`],
  ['an import inside a type', `let a: import('@weir/queue').A`],
  ['a computed import', `const a = await import('@weir/' + 'queue')`],
])('%s is an import, too', (_, text) => {
  expect(importViolations(houseWith({ 'packages/ledger/src/a.ts': text }))).not.toEqual([])
})

test('tests may use the test tools and their own devDependencies', () => {
  const text = `import 'vitest'; import '@weir/local/testing'; import 'fast-check'; import '@weir/local'`
  const paths = ['packages/ledger/src/a.test.ts', 'packages/ledger/src/testing/a.ts']
  expect(importViolations(houseWith(Object.fromEntries(paths.map((path) => [path, text]))))).toEqual([])
})

test('a dependency that nothing imports is found', () => {
  expect(dependencyViolations(houseWith({})).map(printed)).toContain(
    'packages/ledger/package.json:1 names fast-check: a dependency is there to be imported',
  )
})

test('a circle is found with its way round, through types and doors as well', () => {
  const circle = houseWith({
    'packages/ledger/src/a.ts': `\nimport './b.ts'`,
    'packages/ledger/src/b.ts': `import type { C } from './c.ts'`,
    'packages/ledger/src/c.ts': `export * from './a.ts'`,
    'packages/queue/src/index.ts': `import '@weir/relay'`,
    'packages/relay/src/index.ts': `import '@weir/queue'`,
  })
  expect(cycleViolations(circle).map(printed)).toEqual([
    'packages/queue/src/index.ts:1 imports packages/relay/src/index.ts, which imports packages/queue/src/index.ts: imports form no circle',
    'packages/ledger/src/a.ts:2 imports packages/ledger/src/b.ts, which imports packages/ledger/src/c.ts, which imports packages/ledger/src/a.ts: imports form no circle',
  ])
})

test.each([
  'process.env.A',
  `process['env']['A']`,
  'const { env } = process',
  'globalThis.process.env',
  `import { env } from 'node:process'`,
  'import.meta.env',
])('the environment is found in %s, and main.ts and config files may read it', (text) => {
  const found = environmentViolations(
    houseWith({ 'packages/ledger/src/a.ts': text, 'apps/api/src/main.ts': text, 'apps/api/src/config.ts': text }),
  )
  expect(found.map(printed)).toEqual([
    'packages/ledger/src/a.ts:1 reads process.env: the environment is read in main.ts and handed on',
  ])
})

test.each(['let a: any', 'const a = 1 as any', 'const a: Map<string, any[]> = b'])('any is found in %s', (text) => {
  expect(anyViolations(houseWith({ 'packages/ledger/src/a.ts': text }))).toHaveLength(1)
})

test.each([
  `import { QueueEvents } from 'bullmq'`,
  `import * as bullmq from 'bullmq'`,
  'await job.waitUntilFinished(events)',
  `queue.add('run', data, { priority: 1 })`,
  'job.changePriority({ lifo: true })',
  'if (await queue.remove(id)) await release(id)',
])('what the queue must not do is found in %s', (text) => {
  expect(queueViolations(houseWith({ 'packages/queue/src/a.ts': text }))).toHaveLength(1)
})

test('a grant of credits may have a priority', () => {
  expect(queueViolations(houseWith({ 'packages/ledger/src/a.ts': 'grant({ priority: 1 })' }))).toEqual([])
})

const report = (violations: Violation[]): string => violations.map(printed).join('\n')

/** All rooms, empty but for the files given. */
function houseWith(sources: Record<string, string>): House {
  const folders = ['api', 'worker'].map((app) => `apps/${app}`).concat('infra/local', 'test')
  const rooms = ['contracts', 'dialects', 'runtime', 'ledger', 'store', 'queue', 'relay', 'backends', 'completions']
  for (const room of [...rooms, 'cellar']) folders.push(`packages/${room}`)
  const names = folders.map((folder) => `@weir/${folder.split('/').at(-1)}`)
  const dependencies = Object.fromEntries([...names, 'undici', 'bullmq'].map((name) => [name, '*']))

  const files = new Map([['package.json', JSON.stringify({ devDependencies: { vitest: '1' } })]])
  for (const [index, folder] of folders.entries()) {
    const exports = folder === 'infra/local' ? { '.': './src/index.ts', './testing': './src/t.ts' } : './src/index.ts'
    const manifest = { name: names[index], exports, dependencies, devDependencies: { 'fast-check': '1' } }
    files.set(`${folder}/package.json`, JSON.stringify(manifest))
    files.set(`${folder}/src/index.ts`, '')
    files.set(`${folder}/src/index.test.ts`, '')
  }
  return houseOf(new Map([...files, ...Object.entries(sources)]))
}
