import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isAlive } from '../processes.ts'
import { removeDeadRuns } from './dead-runs.ts'
import { serverOfKilledLauncher } from './killed-launcher.ts'
import { openTempDir } from './temp-dir.ts'

test('what a killed test run left is stopped and removed, and what a living one uses stays', async () => {
  await using state = await openTempDir()
  const [dead, living] = [join(state.path, `test-${2 ** 22 + 1}-a`), join(state.path, `test-${process.pid}-b`)]
  await mkdir(living)
  const module = JSON.stringify(new URL('../redis.ts', import.meta.url).href)
  const dir = JSON.stringify(join(dead, 'redis'))
  const leftover = await serverOfKilledLauncher(
    `const { openRedis } = await import(${module}); return openRedis({ dir: ${dir} })`,
  )

  await removeDeadRuns(state.path)

  expect(isAlive(leftover)).toBe(false)
  expect(existsSync(dead)).toBe(false)
  expect(existsSync(living)).toBe(true)
})
