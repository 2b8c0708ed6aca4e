import { ServiceError } from '@weir/contracts'
import { expect, test } from 'vitest'
import { designedError, isDependencyError } from './dependency-errors.ts'

const withCode = (code: string, message = 'it failed') => Object.assign(new Error(message), { code })

test.each<[string, unknown]>([
  ['a refused connection', withCode('ECONNREFUSED')],
  ['a reset connection', withCode('ECONNRESET')],
  ['a broken pipe', withCode('EPIPE')],
  ['a host that does not answer', withCode('ETIMEDOUT')],
  ['a name that does not resolve', withCode('ENOTFOUND')],
  ['a resolver that is away', withCode('EAI_AGAIN')],
  ['refusals on every address of a name', new AggregateError([withCode('ECONNREFUSED'), withCode('ECONNREFUSED')])],
  ['a connection that Postgres lost', withCode('08006')],
  ['a Postgres that shuts down', withCode('57P01')],
  ['a Postgres that starts', withCode('57P03')],
  ['too many connections', withCode('53300')],
  ['a full disk', withCode('53100')],
  ['a statement past its time', withCode('57014')],
  ['a lock past its time', withCode('55P03')],
  ['a cluster that is not whole', new Error('CLUSTERDOWN The cluster is down')],
  ['a Redis that cannot write its data down', new Error('MISCONF Redis is configured to save RDB snapshots')],
  ['a Redis without its replicas', new Error('NOREPLICAS Not enough good replicas to write.')],
  ['a deadlock', withCode('40P01')],
  ['a connection that ended', new Error('Connection terminated unexpectedly')],
  [
    'a connection that broke while it was idle in a transaction',
    new Error('Client has encountered a connection error and is not queryable'),
  ],
  ['a pool without a free connection', new Error('timeout exceeded when trying to connect')],
  ['a silent Postgres', new Error('Query read timeout')],
  ['a closed Redis connection', new Error('Connection is closed.')],
  [
    'a Redis connection that is not open yet',
    new Error("Stream isn't writeable and enableOfflineQueue options is false"),
  ],
  ['a Redis that was tried often enough', new Error('Reached the max retries per request limit (which is 1).')],
  ['a silent Redis', new Error('Command timed out')],
  ['a Redis that loads its data', new Error('LOADING Redis is loading the dataset in memory')],
  ['a Redis that is a replica now', new Error("READONLY You can't write against a read only replica.")],
  ['a full Redis', new Error("OOM command not allowed when used memory > 'maxmemory'.")],
  ['our own 503', new ServiceError('service_unavailable', 'Please try again shortly.')],
])('%s is a dependency that is away, and becomes a 503 that says when to come back', (_, error) => {
  expect(isDependencyError(error)).toBe(true)
  expect(designedError(error)).toMatchObject({ code: 'service_unavailable' })
})

test.each<[string, unknown]>([
  ['a violated constraint', withCode('23514')],
  ['a duplicate key', withCode('23505')],
  ['a syntax error', withCode('42601')],
  ['a wrong number', withCode('22003')],
  ['a script error', new Error('ERR user_script:1: attempt to index a nil value')],
  ['a bug', new TypeError('Cannot read properties of undefined')],
  ['no error at all', undefined],
  ['a text', 'Connection terminated'],
])('%s is no dependency that is away', (_, error) => {
  expect(isDependencyError(error)).toBe(false)
  expect(designedError(error).code).toBe('internal')
  expect(designedError(error).cause).toBe(error)
})

test('what was designed elsewhere passes through untouched', () => {
  const refusal = new ServiceError('credit_balance_exhausted', 'Add credits.')
  expect(isDependencyError(refusal)).toBe(false)
  expect(designedError(refusal)).toBe(refusal)
})

test('the client is not told what failed, and the log can be', () => {
  const cause = withCode('ECONNREFUSED', 'connect ECONNREFUSED 10.1.2.3:5432')

  const error = designedError(cause)

  expect(error.message).not.toMatch(/ECONNREFUSED|10\.1|5432|ostgres/)
  expect(error).toMatchObject({ cause, retryAfterMs: expect.any(Number) })
})
