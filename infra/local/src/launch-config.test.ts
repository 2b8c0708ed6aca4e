import { expect, test } from 'vitest'
import { appEnv, launchConfig } from './launch-config.ts'

const stack = { databaseUrl: 'postgres://p/weir', redisUrl: 'redis://r' }
const secrets = { adminKey: 'admin', keyPepper: 'pepper', receiptKey: 'seed' }

test('the apps get what is theirs, and the worker of the secrets only the pepper', () => {
  const given = { WEIR_ADMIN_KEY: 'admin', WEIR_KEY_PEPPER: 'pepper', WEIR_RECEIPT_KEY: 'seed' }
  const env = { ...given, WEIR_MAX_WAITING: '5', OPENAI_API_KEY: 'sk', EDITOR: 'vi' }

  const { api, worker } = appEnv({ config: launchConfig(env), stack, secrets, env })

  expect(worker).toMatchObject({
    WEIR_MAX_WAITING: '5',
    OPENAI_API_KEY: 'sk',
    REDIS_URL: 'redis://r',
    LOG_LEVEL: 'warn',
    WEIR_KEY_PEPPER: 'pepper',
  })
  expect(api).toMatchObject({ PORT: '8080', HOST: '127.0.0.1', ...given })
  for (const name of ['WEIR_ADMIN_KEY', 'WEIR_RECEIPT_KEY', 'EDITOR']) expect(worker).not.toHaveProperty(name)
})

test.each([
  [undefined, undefined, undefined],
  ['9464', '9464', '9465'],
  ['0', '0', '0'],
])('metrics on port %s are those of the API on %s and of the worker on %s', (given, ofApi, ofWorker) => {
  const env = { WEIR_METRICS_PORT: given }

  const { api, worker } = appEnv({ config: launchConfig(env), stack, secrets, env })

  expect([api['WEIR_METRICS_PORT'], worker['WEIR_METRICS_PORT']]).toEqual([ofApi, ofWorker])
})

test('events may be sent to this machine, unless that is not wanted', () => {
  const sentPrivately = (env: Record<string, string>) =>
    appEnv({ config: launchConfig(env), stack, secrets, env }).api['WEIR_WEBHOOK_PRIVATE_ADDRESSES']

  expect(sentPrivately({})).toBe('true')
  expect(sentPrivately({ WEIR_WEBHOOK_PRIVATE_ADDRESSES: 'false' })).toBe('false')
})

test('nothing of either listens beyond this machine', () => {
  const { api, worker } = appEnv({ config: launchConfig({}), stack, secrets, env: { HOST: '0.0.0.0' } })

  expect([api['HOST'], worker['HOST']]).toEqual(['127.0.0.1', '127.0.0.1'])
})

test('an empty variable counts as none, and a wrong one is named', () => {
  expect(launchConfig({ PORT: '', DATABASE_URL: '' })).toEqual({ PORT: 8080, LOG_LEVEL: 'warn' })
  expect(() => launchConfig({ PORT: 'eighty' })).toThrow(/PORT/)
  for (const WEIR_METRICS_PORT of ['8079', '8080'])
    expect(() => launchConfig({ WEIR_METRICS_PORT })).toThrow(/takes two ports in a row[^]*WEIR_METRICS_PORT/)
})
