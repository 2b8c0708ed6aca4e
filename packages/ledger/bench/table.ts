const LABEL_WIDTH = 40
const COLUMN_WIDTH = 16

/** A titled table: the first cell of each row is its label. NaN, what cannot be known, is shown as a dash. */
export function renderTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return [head, ...rows]
    .map(([label, ...cells]) => String(label).padEnd(LABEL_WIDTH) + cells.map(cell).join(''))
    .join('\n')
}

function cell(value: string | number): string {
  return (typeof value === 'string' ? value : shown(value)).padStart(COLUMN_WIDTH)
}

function shown(value: number): string {
  if (Number.isNaN(value)) return '-'
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
