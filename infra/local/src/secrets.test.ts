import { stat, writeFile } from 'node:fs/promises'
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
  expect(given).toEqual({ ...first, adminKey: 'mine' })
  expect(await localSecrets(path, {})).toEqual(first)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
})

test('a file of secrets from before one more was needed keeps what it has and is completed', async () => {
  await using dir = await openTempDir()
  const path = join(dir.path, 'secrets.json')
  await writeFile(path, '{ "adminKey": "old admin key", "keyPepper": "old pepper" }')

  const completed = await localSecrets(path, {})

  const receiptKey = expect.stringMatching(/^[\w-]{43}$/)
  expect(completed).toEqual({ adminKey: 'old admin key', keyPepper: 'old pepper', receiptKey })
  expect(await localSecrets(path, {})).toEqual(completed)
})
