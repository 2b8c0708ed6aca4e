import { readFileSync } from 'node:fs'
import { BackendConfig } from '@weir/contracts'
import { settings } from '@weir/runtime'
import { expect, test } from 'vitest'

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
const page = read('docs/configuration.md')
const backendsPage = read('docs/backends.md')
/** Where each program names what it reads. */
const readers = { api: 'apps/api/src/config.ts', worker: 'apps/worker/src/config.ts', cli: 'apps/cli/src/main.ts' }

type Schema = { safeParse(value: unknown): { success: boolean; data?: unknown } }

test('the configuration page lists every setting once and no other', () => {
  const listed = rowsIn(page).filter(({ cells }) => cells.length === 5)
  expect(listed.map(({ name }) => name).toSorted()).toEqual(Object.keys(settings).toSorted())
})

test.each(Object.entries(settings))('%s is documented with its default, its range and who uses it', (name, schema) => {
  const [byDefault, range, usedBy] =
    rowsIn(page)
      .find((row) => row.name === name)
      ?.cells.slice(1) ?? []

  expect(byDefault).toBe(defaultOf(schema))
  const { minimum, maximum } = schema.toJSONSchema({ io: 'input' })
  expect(range).toBe(minimum === undefined ? range : `${minimum}–${maximum}`)
  const users = Object.entries(readers).filter(([, path]) => read(path).includes(`'${name}'`))
  expect(usedBy).toBe(users.map(([user]) => user).join(', '))
})

test.each(BackendConfig.options.map((option) => [option.shape.kind.value, option.shape] as const))(
  'every field of a backend of kind %s is documented with its default, and no other',
  (kind, shape) => {
    const section = backendsPage.split(/^##+ /m).find((text) => text.startsWith(`A backend of kind \`${kind}\``)) ?? ''
    const documented = rowsIn(section).map(({ name, cells }) => [name, cells[1]])

    const fields = Object.entries<Schema>(shape)
    expect(documented).toEqual(fields.map(([name, schema]) => [name, name === 'kind' ? 'required' : defaultOf(schema)]))
  },
)

/** The rows of a page's tables whose first cell is a name in code. */
function rowsIn(text: string): { name: string; cells: string[] }[] {
  return [...text.matchAll(/^\| `([\w.]+)` +\|.*$/gm)].map(([row, name = '']) => ({
    name,
    cells: row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  }))
}

function defaultOf(schema: Schema): string {
  const { success, data } = schema.safeParse(undefined)
  if (!success) return 'required'
  return data === undefined ? 'none' : String(data)
}
