import { expect, test } from 'vitest'
import { apiKeyOf } from './authenticate.ts'

test.each([
  ['as a bearer', { authorization: 'Bearer one' }, 'one'],
  ['as a bearer, however that is written', { authorization: 'bearer one' }, 'one'],
  ['in the header of its own', { 'x-api-key': 'two' }, 'two'],
  ['in both, where the header of its own counts', { authorization: 'Bearer one', 'x-api-key': 'two' }, 'two'],
  ['nowhere', {}, undefined],
  ['in a scheme that is none of ours', { authorization: 'Basic b25l' }, undefined],
  ['in a header of its own that is empty, bearer or not', { authorization: 'Bearer one', 'x-api-key': '' }, undefined],
  ['at a length that no key has', { 'x-api-key': 'x'.repeat(257) }, undefined],
])('an API key is sent %s', (_, headers, key) => {
  expect(apiKeyOf({ headers })).toBe(key)
})
