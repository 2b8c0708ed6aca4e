import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { tryLock } from '../pid-lock.js'
import { openTempDir } from './testing/temp-dir.ts'

test('a lock belongs to one and is free when given back', async () => {
  await using dir = await openTempDir()
  const path = join(dir.path, 'lock')

  const first = tryLock(path)
  expect(tryLock(path)).toEqual({ kind: 'held', pid: process.pid })
  if (first.kind === 'locked') first.release()

  expect(tryLock(path).kind).toBe('locked')
})

test('a pid that now belongs to another process holds nothing', async () => {
  await using dir = await openTempDir()
  const path = join(dir.path, 'lock')
  await writeFile(path, JSON.stringify({ pid: process.pid, started: 'long ago', nonce: 'old' }))

  expect(tryLock(path).kind).toBe('locked')
})

test('many find the locks of dead processes at once and each goes to exactly one', async () => {
  await using dir = await openTempDir()
  const paths = Array.from({ length: 300 }, (_, index) => join(dir.path, `lock-${index}`))
  await Promise.all(
    paths.map((path) => writeFile(path, JSON.stringify({ pid: 2 ** 22 + 1, started: '1', nonce: 'x' }))),
  )

  const contenders = Array.from({ length: 4 }, startContender)
  await Promise.all(contenders.map((contender) => once(contender, 'message')))
  for (const contender of contenders) contender.send(paths)
  const taken = await Promise.all(
    contenders.map(async (contender) => (await once(contender, 'message'))[0] as string[]),
  )

  expect(taken.flat().toSorted()).toEqual(paths.toSorted())
  expect((await readdir(dir.path)).toSorted()).toEqual(paths.map((path) => basename(path)).toSorted())
  for (const contender of contenders) contender.disconnect()
})

/** Another process that tries the locks it is told and keeps what it gets until it is disconnected. */
function startContender(): ChildProcess {
  const module = new URL('../pid-lock.js', import.meta.url).href
  const code = `
    const { tryLock } = await import(${JSON.stringify(module)})
    process.on('message', (paths) => process.send(paths.filter((path) => tryLock(path).kind === 'locked')))
    process.send('listening')`
  return spawn(process.execPath, ['--input-type=module', '--eval', code], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
}
