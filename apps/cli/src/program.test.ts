import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const program = fileURLToPath(new URL('../bin/weir.js', import.meta.url))

/** Has a Node take itself for an older one. */
const older = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.1.0" } })'
const asOlder = ['--import', `data:text/javascript,${encodeURIComponent(older)}`]

const startedBy = (flags: string[], path: string) =>
  spawnSync(process.execPath, [...flags, path, 'usage', '--help'], { encoding: 'utf8' })

test.each([
  ['the Node of the checkout', []],
  ['an older one', asOlder],
])('the command runs when it is started by %s', (_, flags) => {
  const { status, stdout, stderr } = startedBy(flags, program)

  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).toContain('Usage: weir usage')
})

test('where only an older Node is at hand it says what to do', () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'weir-program-'))
  const elsewhere = join(folder.path, 'weir.js')
  cpSync(program, elsewhere)

  const { status, stderr } = startedBy(asOlder, elsewhere)

  expect(status).toBe(2)
  expect(stderr).toContain('This is Node 20.1.0, and weir needs 24 or newer.')
  expect(stderr).toContain('npm ci')
})
