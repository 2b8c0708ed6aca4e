import { expect, test } from 'vitest'
import { ConfigError, loadConfig } from './config.ts'
import { settings } from './settings.ts'

const messageOf = (load: () => unknown): string => {
  try {
    load()
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as Error).message
  }
  throw new Error('the configuration was accepted')
}

test('a process gets the settings it asks for, read as what they are', () => {
  const env = { DATABASE_URL: 'postgres://localhost/weir', PORT: '0', WEIR_KEY_CACHE_MS: '250', HOME: '/root' }

  const config = loadConfig(['DATABASE_URL', 'PORT', 'WEIR_KEY_CACHE_MS'], env)

  expect(config).toEqual({ DATABASE_URL: 'postgres://localhost/weir', PORT: 0, WEIR_KEY_CACHE_MS: 250 })
})

test('what is not set has its default, and an empty variable is not set', () => {
  const names = ['PORT', 'LOG_LEVEL', 'WEIR_REDIS_PREFIX', 'WEIR_CONFIG'] as const

  const config = loadConfig(names, { PORT: '', LOG_LEVEL: undefined, WEIR_REDIS_PREFIX: '', WEIR_CONFIG: '' })

  expect(config).toMatchObject({ PORT: 8080, LOG_LEVEL: 'info', WEIR_REDIS_PREFIX: 'weir' })
  expect(config.WEIR_CONFIG).toBeUndefined()
})

test('everything that is wrong is told at once, a line each', () => {
  const env = { DATABASE_URL: 'mysql://localhost', PORT: 'http', WEIR_ADMIN_KEY: 'short', WEIR_LIMIT: '1' }

  const message = messageOf(() => loadConfig(['DATABASE_URL', 'REDIS_URL', 'PORT', 'WEIR_ADMIN_KEY'], env))

  const names = message
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(':')[0])
  expect(names.sort()).toEqual(['DATABASE_URL', 'PORT', 'REDIS_URL', 'WEIR_ADMIN_KEY', 'WEIR_LIMIT'])
})

test('a misspelt setting is refused by name, although all others are right', () => {
  const message = messageOf(() => loadConfig(['PORT'], { WEIR_RETENTION: '1000' }))
  expect(message).toContain('WEIR_RETENTION: is not a setting of Weir')
})

test.each([
  ['PORT', '1kb', 'must be a whole number from 0 to 65535'],
  ['WEIR_KEY_CACHE_MS', '0', 'must be a whole number from 1 to 30000'],
  ['WEIR_REQUESTS_PER_MINUTE', '1.5', 'must be a whole number from 1 to 1000000000'],
  ['LOG_LEVEL', 'loud', 'must be one of: trace, debug, info, warn, error, fatal, silent'],
  ['WEIR_ROLES', 'tidying', 'must be one of: completions, .*maintenance'],
  ['WEIR_KEY_PEPPER', 'short', 'must be text of at least 24 characters'],
  ['WEIR_KEY_PEPPER', '', 'is missing'],
  ['DATABASE_URL', 'mysql://localhost', 'must be a postgres:// or postgresql:// URL'],
  ['DATABASE_URL', '', 'is missing'],
  ['WEIR_URL', 'here', 'must be a URL'],
  ['WEIR_REDIS_PREFIX', 'a:b', 'must be 1 to 64 letters, digits, _ or -'],
] as const)('%s=%s: plain words say what is wrong', (name, value, words) => {
  const message = messageOf(() => loadConfig([name], { [name]: value }))

  expect(message).toMatch(new RegExp(`\n  ${name}(\\.0)?: ${words}$`))
})

test('a misspelt setting is told what was probably meant', () => {
  const message = messageOf(() => loadConfig(['PORT'], { WEIR_LOCKMS: '1000' }))
  expect(message).toContain('WEIR_LOCKMS: is not a setting of Weir; did you mean WEIR_LOCK_MS?')
})

test('the settings of other processes and the names of other programs are left alone', () => {
  const env = { WEIR_LOCK_MS: 'not for us', OPENAI_API_KEY: 'x', WEIRD: 'x', PATH: '/bin' }
  expect(loadConfig(['PORT'], env)).toEqual({ PORT: 8080 })
})

test('a secret that is refused is not repeated in the message', () => {
  const message = messageOf(() =>
    loadConfig(['WEIR_ADMIN_KEY', 'DATABASE_URL'], {
      WEIR_ADMIN_KEY: 'hunter2',
      DATABASE_URL: 'mysql://weir:hunter2@localhost',
    }),
  )
  expect(message).not.toContain('hunter2')
})

test.each([
  ['PORT', '65536'],
  ['PORT', '1.5'],
  ['LOG_LEVEL', 'loud'],
  ['REDIS_URL', 'http://localhost'],
  ['WEIR_KEY_CACHE_MS', '0'],
  ['WEIR_KEY_CACHE_MS', '30001'],
  ['WEIR_REDIS_PREFIX', 'a:b'],
  ['WEIR_GROUP_COMMIT_MAX', '0'],
  ['WEIR_GROUP_COMMIT_MAX', 'Infinity'],
  ['WEIR_BODY_LIMIT_BYTES', '1kb'],
  ['WEIR_KEY_PEPPER', 'x'.repeat(23)],
  ['WEIR_RECEIPT_KEY', 'x'.repeat(42)],
  ['WEIR_RECEIPT_KEY', `${'x'.repeat(42)}=`],
  ['WEIR_RECEIPT_PAST_KEYS', 'x'.repeat(43)],
] as const)('%s cannot be %s', (name, value) => {
  expect(messageOf(() => loadConfig([name], { [name]: value }))).toContain(`${name}: `)
})

const publicKey = { kty: 'OKP', crv: 'Ed25519', x: 'x'.repeat(43) }
const pastKeys = (keys: unknown[]) =>
  loadConfig(['WEIR_RECEIPT_PAST_KEYS'], { WEIR_RECEIPT_PAST_KEYS: JSON.stringify({ keys }) }).WEIR_RECEIPT_PAST_KEYS

test('past keys are taken as they were served, and a private one, which would be served too, is not', () => {
  const served = { ...publicKey, kid: 'k', alg: 'EdDSA', use: 'sig' }

  expect(pastKeys([served, publicKey])).toEqual({ keys: [served, publicKey] })
  expect(messageOf(() => pastKeys([{ ...publicKey, kty: 'RSA' }]))).toMatch(/PAST_KEYS.keys.0.kty: /)
  expect(messageOf(() => pastKeys([{ ...publicKey, d: 'secret' }]))).toMatch(/PAST_KEYS.keys.0: must be public Ed25519/)
})

test('every setting says what it is for, and every limit has a default', () => {
  const required = ['DATABASE_URL', 'REDIS_URL', 'WEIR_ADMIN_KEY', 'WEIR_KEY_PEPPER', 'WEIR_RECEIPT_KEY']
  for (const [name, schema] of Object.entries(settings)) {
    expect(schema.description, name).toBeTruthy()
    expect(schema.safeParse(undefined).success, name).toBe(!required.includes(name))
  }
})
