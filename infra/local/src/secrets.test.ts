import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { localSecrets } from './secrets.ts'
import { openTempDir } from './testing/temp-dir.ts'

test('the secrets of a checkout are made once, readable by their owner alone, and given ones win', async () => {
  await using dir = await openTempDir()
  const path = join(dir.path, 'secrets.json')

  const first = await localSecrets(path, {})
  const given = await localSecrets(path, { WEIR_ADMIN_KEY: 'mine' })

  expect(first.adminKey).toMatch(/^weir_admin_[\w-]{43}$/)
  expect(given).toEqual({ adminKey: 'mine', keyPepper: first.keyPepper })
  expect(await localSecrets(path, {})).toEqual(first)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
})
