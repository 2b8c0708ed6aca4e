import { expect, test } from 'vitest'
import { isMet, renderThresholds } from './thresholds.ts'

test.each([
  [{ least: 60 }, 60, true],
  [{ least: 60 }, 59.99, false],
  [{ most: 2.5 }, 2.5, true],
  [{ most: 2.5 }, 2.51, false],
  [{ least: 60 }, Number.NaN, false],
])('%j is met by %d: %j', (bound, figure, met) => {
  expect(isMet({ what: 'it', figure, unit: 'x', ...bound })).toBe(met)
})

test('what is missed is told as such, with the figure and its bound', () => {
  const text = renderThresholds([
    { what: 'the gain', figure: 71.5, least: 60, unit: 'x' },
    { what: 'the share', figure: 40, least: 45, unit: '%' },
  ])

  expect(text.replaceAll(/ +/g, ' ')).toBe('met the gain 71.50x at least 60x\nNOT MET the share 40% at least 45%')
})
