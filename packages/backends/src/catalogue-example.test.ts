import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseCatalogueFile } from './catalogue-file.ts'

test('the example of the documentation is a catalogue', () => {
  const page = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8')
  const [, example = ''] = /^## The catalogue.*?^```yaml\n(.*?)^```/ms.exec(page) ?? []

  const catalogue = parseCatalogueFile(example, 'example', () => 'secret')

  expect(catalogue.auto).toMatchObject({ id: 'auto', candidates: catalogue.ruleOf('everyday')!.candidates })
  expect(catalogue.find('openai/gpt-4o')).toMatchObject({ only: 'openai/gpt-4o' })
})
