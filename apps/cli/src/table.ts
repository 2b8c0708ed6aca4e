import { stripVTControlCharacters, styleText } from 'node:util'
import Table from 'cli-table3'

export type Column = { title: string; align?: 'right' }

/** Rows under their titles, two spaces apart, without borders: to read, and to cut with the usual tools. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[], colour: boolean): string {
  if (rows.length === 0) return 'None.'
  const table = new Table({
    chars: noBorders,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: columns.map(({ align }) => align ?? 'left'),
  })
  table.push(columns.map(({ title }) => (colour ? styleText('bold', title, { validateStream: false }) : title)))
  for (const row of rows) table.push(row.map(harmless))
  return withoutTrailingSpaces(table.toString())
}

/** One thing's fields, a line each. */
export const renderFields = (fields: readonly (readonly [string, string])[], colour: boolean): string => {
  const width = Math.max(...fields.map(([name]) => name.length))
  const title = (name: string) => (colour ? styleText('bold', name, { validateStream: false }) : name)
  return fields
    .map(([name, value]) => `${title(name)}${' '.repeat(width - name.length)}  ${harmless(value)}`)
    .join('\n')
}

/** Names are other people's text: nothing in them may move the cursor, colour the screen or break a row. */
const harmless = (text: string): string => stripVTControlCharacters(text).replace(/\p{Cc}+/gu, ' ')

const withoutTrailingSpaces = (text: string): string => text.replace(/ +$/gm, '')

const noBorders = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
}
