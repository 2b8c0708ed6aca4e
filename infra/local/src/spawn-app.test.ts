import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isAlive } from './processes.ts'
import { spawnApp } from './spawn-app.ts'
import { openTempDir } from './testing/temp-dir.ts'

test('an app is ready when it says so, and gets the given environment and no other', async () => {
  await using dir = await openTempDir()
  const code = `console.log(Object.keys(process.env).sort().join()); ${serve}`
  await using app = await spawnApp({ name: 'app', entry: await entry(dir.path, code), env: { GIVEN: '1' } })

  expect(app.port).toBe(4711)
  await expect.poll(app.logs).toEqual(['GIVEN,HOME,PATH'])
})

test('an app that ends before it is ready is reported with the last it wrote', async () => {
  await using dir = await openTempDir()
  const path = await entry(dir.path, `console.error('no database here'); process.exit(3)`)

  await expect(spawnApp({ name: 'app', entry: path, env: {} })).rejects.toThrow(/ended with code 3\nno database here/)
})

test('an app that has much to say before it ends is reported with the first of it and the last', async () => {
  await using dir = await openTempDir()
  const said = (count: number) => `for (let n = 1; n <= ${count}; n += 1) console.error('line ' + n); process.exit(1)`
  const failure = async (count: number) =>
    spawnApp({ name: 'app', entry: await entry(dir.path, said(count)), env: {} }).catch((error: Error) => error.message)

  expect(await failure(30)).toMatch(/code 1\nline 1\n[^…]*\nline 30$/)
  expect(await failure(100)).toMatch(/code 1\nline 1\n[^]*\nline 20\n… 60 more lines …\nline 81\n[^]*\nline 100$/)
})

test('stopping lets an app finish, and tells how it ended', async () => {
  await using dir = await openTempDir()
  const finish = `process.on('SIGTERM', () => { console.log('finished'); process.exit(0) })`
  const app = await spawnApp({ name: 'app', entry: await entry(dir.path, `${finish}; ${serve}`), env: {} })

  await app.stop()

  expect(await app.exited).toEqual({ code: 0, signal: null })
  expect(isAlive(app.pid)).toBe(false)
  await expect.poll(app.logs).toEqual(['finished'])
})

const serve = `process.send({ type: 'ready', port: 4711 }); setInterval(() => {}, 1000)`

async function entry(dir: string, code: string): Promise<string> {
  const path = join(dir, 'main.mjs')
  await writeFile(path, code)
  return path
}
