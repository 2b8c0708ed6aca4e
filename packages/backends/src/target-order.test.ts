import type { Target } from '@weir/contracts'
import { expect, test } from 'vitest'
import { orderOf } from './target-order.ts'
import { requestOf } from './testing/requests.ts'

const request = requestOf()
const long = requestOf({ messages: [{ role: 'user', content: 'river '.repeat(1_000) }] })
const tools = requestOf({ tools: [{ kind: 'function', name: 'look' }] })
const json = requestOf({ responseFormat: { type: 'json_object' } })

const on = (backend: string, given: Partial<Target> = {}): Target => ({ backend, model: 'm', ...given })
const modelOf = (targets: Target[]) => ({ id: 'fast', contextWindow: 100_000, targets })
const named = (targets: Target[]) => targets.map(({ backend }) => backend)

test.each<[string, Target[], Parameters<typeof orderOf>[0]['request'], string[]]>([
  ['in the order of the list', [on('a'), on('b')], request, ['a', 'b']],
  ['by priority first', [on('a', { priority: 1 }), on('b'), on('c', { priority: -1 })], request, ['c', 'b', 'a']],
  ['without those that cannot', [on('a', { capabilities: [] }), on('b')], tools, ['b']],
  ['with a condition that holds', [on('a', { when: { needs: ['tools'] } }), on('b')], tools, ['a', 'b']],
  ['without a condition that fails', [on('a', { when: { needs: ['tools'] } }), on('b')], request, ['b']],
  ['JSON of either kind', [on('a', { when: { needs: ['json'] } }), on('b')], json, ['a', 'b']],
  ['long prompts', [on('a', { when: { minPromptTokens: 1_000 } }), on('b')], long, ['a', 'b']],
  ['not short ones', [on('a', { when: { minPromptTokens: 1_000 } }), on('b')], request, ['b']],
  ['not too long ones', [on('a', { when: { maxPromptTokens: 1_000 } }), on('b')], long, ['b']],
  ['within a ceiling', [on('a', { when: { maxPrice: 10n } }), on('b')], request, ['a', 'b']],
  ['not above a ceiling', [on('a', { when: { maxPrice: 9n } }), on('b')], request, ['b']],
  [
    'anywhere, where nobody wants it',
    [on('a', { when: { maxPrice: 9n } }), on('b', { when: { maxPrice: 8n } })],
    request,
    ['a', 'b'],
  ],
])('targets are asked %s', (_how, targets, asked, expected) => {
  expect(named(orderOf({ model: modelOf(targets), request: asked, quote: 10n }))).toEqual(expected)
})

test('weights share out the requests among targets of one priority', () => {
  const targets = [on('a', { weight: 3 }), on('b'), on('spare', { priority: 1 })]
  const firsts: Record<string, number> = {}
  for (let i = 0; i < 100; i += 1) {
    const order = named(orderOf({ model: modelOf(targets), request, random: () => (i % 100) / 100 }))
    expect(order.at(-1)).toBe('spare')
    firsts[order[0]!] = (firsts[order[0]!] ?? 0) + 1
  }

  expect(firsts).toEqual({ a: 75, b: 25 })
})
