import type { Capability, Catalogue } from '@weir/contracts'
import type { Report } from './catalogue-report.ts'

/** What works and is hardly meant. */
export function warnOf({ backends, models }: Pick<Catalogue, 'backends' | 'models'>, warn: Report): void {
  const used = new Set(models.flatMap(({ targets }) => targets.map(({ backend }) => backend)))
  for (const name of backends.keys()) if (!used.has(name)) warn(['backends', name], 'is used by no model')

  for (const [index, { capabilities, bounds = {} }] of models.entries()) {
    for (const [field, written, need] of boundsNeeding) {
      if (bounds[field] === undefined || capabilities?.includes(need)) continue
      warn(
        ['models', index, 'bounds', written],
        `bounds what is refused anyway: the model has not the capability ${need}`,
      )
    }
  }
}

const boundsNeeding = [
  ['choices', 'n', 'choices'],
  ['topK', 'top_k', 'top_k'],
  ['frequencyPenalty', 'frequency_penalty', 'penalties'],
  ['presencePenalty', 'presence_penalty', 'penalties'],
] as const satisfies [string, string, Capability][]
