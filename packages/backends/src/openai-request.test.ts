import { expect, test } from 'vitest'
import { openAiBodyOf, vendorOf } from './openai-request.ts'
import { requestOf, target } from './testing/requests.ts'

const bodyFor = (baseUrl: string, request = requestOf()) =>
  JSON.parse(openAiBodyOf(request, target, vendorOf(new URL(baseUrl))))

test.each(['https://api.openai.com/v1', 'https://weir.openai.azure.com/openai/v1'])(
  '%s gets its output limit under the name its reasoning models accept',
  (baseUrl) => {
    const body = bodyFor(baseUrl)
    expect(body.max_completion_tokens).toBe(100)
    expect(body).not.toHaveProperty('max_tokens')
  },
)

test('another server gets the names that all of them know', () => {
  const messages = [{ role: 'developer' as const, content: 'Be brief.' }]

  const body = bodyFor('http://127.0.0.1:8000/v1', requestOf({ messages }))

  expect(body).toMatchObject({ max_tokens: 100, messages: [{ role: 'system', content: 'Be brief.' }] })
  expect(body).not.toHaveProperty('max_completion_tokens')
})
