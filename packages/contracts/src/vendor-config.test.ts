import { expect, test } from 'vitest'
import { BackendConfig, quotaGroupOf, secretNamesOf } from './backend-config.ts'

const openai = (options: object = {}) => ({ kind: 'openai', base_url: 'http://127.0.0.1:8000/v1', ...options })

test.each([
  ['a header that would be a secret', { headers: { 'X-Api-Key': 'sk-1' } }, 'headers.X-Api-Key'],
  ['a bearer in a header', { headers: { Authorization: 'Bearer sk-1' } }, 'headers.Authorization'],
  ['a header that frames the call', { headers: { 'Content-Length': '5' } }, 'headers.Content-Length'],
  ['a header in two lines', { headers: { 'X-Team': 'a\r\nX-Admin: yes' } }, 'headers.X-Team'],
  ['a key in the query', { query: { api_key: 'sk-1' } }, 'query.api_key'],
  ['a query in the URL', { base_url: 'http://127.0.0.1/v1?key=1' }, 'base_url'],
  ['a path without its slash', { path: 'chat' }, 'path'],
  ['a field that decides the price', { pass_fields: ['max_tokens'] }, 'pass_fields.0'],
  ['a secret in place of its name', { api_key_env: 'sk-1' }, 'api_key_env'],
  ['a field nobody knows', { api_key: 'sk-1' }, ''],
])('%s is refused', (_what, options, path) => {
  const result = BackendConfig.safeParse(openai(options))

  expect(result.error?.issues.map((issue) => issue.path.join('.'))).toEqual([path])
})

test('each variable that holds a secret is known with the field that names it', () => {
  const headers = { 'X-Gateway-Key': { env: 'GATEWAY_KEY' }, 'X-Team': 'weir' }
  const config = BackendConfig.parse(openai({ api_key_env: 'VLLM_KEY', headers }))

  expect(secretNamesOf(config)).toEqual([
    { path: ['api_key_env'], name: 'VLLM_KEY' },
    { path: ['headers', 'X-Gateway-Key', 'env'], name: 'GATEWAY_KEY' },
  ])
})

test('a backend is a quota group by itself unless it names one', () => {
  expect(quotaGroupOf('a', BackendConfig.parse(openai()))).toBe('a')
  expect(quotaGroupOf('a', BackendConfig.parse(openai({ quota_group: 'shared' })))).toBe('shared')
})
