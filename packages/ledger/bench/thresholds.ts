/** A figure, and what it must be at least or at most. */
export type Threshold = { what: string; figure: number; least?: number; most?: number; unit: 'x' | '%' }

/** How much faster ours must be than a transaction per operation. */
export const LEAST_GAIN = {
  'one hot account': { 64: 40, 500: 60 },
  '1,000 accounts': { 64: 8, 500: 15 },
} as const

/** How much of the bound ours must reach, in percent. */
export const LEAST_OF_BOUND = 45

/** How much longer than for a bare INSERT one may wait for ours where few are there. */
export const MOST_LATENCY = 2.5

export const isMet = ({ figure, least = -Infinity, most = Infinity }: Threshold): boolean =>
  least <= figure && figure <= most

export const renderThresholds = (thresholds: readonly Threshold[]): string =>
  thresholds.map((threshold) => `${isMet(threshold) ? 'met      ' : 'NOT MET  '}${sentenceOf(threshold)}`).join('\n')

function sentenceOf({ what, figure, least, most, unit }: Threshold): string {
  const bound = least === undefined ? `at most ${most}` : `at least ${least}`
  return `${what.padEnd(76)}${figure.toFixed(unit === 'x' ? 2 : 0).padStart(7)}${unit}   ${bound}${unit}`
}
