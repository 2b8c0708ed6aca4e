import { expect, test } from 'vitest'
import { didYouMean, nearestName } from './nearest-name.ts'

const names = ['default_model', 'models', 'backends', 'slots']

test.each([
  ['defualt_model', 'default_model'],
  ['model', 'models'],
  ['Backends', 'backends'],
  ['slot', 'slots'],
  ['prices', undefined],
  ['x', undefined],
  ['', undefined],
  ['m'.repeat(100_000), undefined],
])('%s is taken for %s', (written, meant) => {
  expect(nearestName(written, names)).toBe(meant)
})

test('what was meant is asked, and nothing where nobody can tell', () => {
  expect(didYouMean('modles', names)).toBe('; did you mean models?')
  expect(didYouMean('wholly else', names)).toBe('')
})
