import { type Results, WORKS } from './results.ts'

export const pageFile = new URL('../../docs/compatibility.md', import.meta.url)

/** The page that says what works with whom. */
export function compatibilityPage({ clients, features, refusals }: Results): string {
  const names = clients.map(({ name }) => name)
  const notes: string[] = []
  const marked = (why: string) => {
    if (!notes.includes(why)) notes.push(why)
    return `n/a (${notes.indexOf(why) + 1})`
  }

  const featureRows = unique(features.map(({ feature }) => feature)).map((feature) => [
    feature,
    ...names.map((name) => {
      const cell = features.find((each) => each.client === name && each.feature === feature)
      return cellOf(Object.entries(cell?.outcome ?? {}), marked)
    }),
  ])
  const statuses = unique(refusals.map(({ status, why }) => `${status}, ${why}`))
  const refusalRows = statuses.map((row) => [
    row,
    ...names.map(
      (name) => refusals.find((each) => each.client === name && row.startsWith(`${each.status},`))?.tries ?? '',
    ),
  ])
  const clientRows = clients.map(({ name, packages, dialect, note = '' }) => [
    name,
    packages.map((each) => `\`${each}\``).join(', '),
    dialect === 'openai' ? 'chat completions' : 'messages',
    note,
  ])

  return `# Compatibility

Written by \`npm run docs:compatibility\` from what \`test/clients\` observed; a test fails where this page says something else.
Every client is the published package, unmodified, with Weir as its base URL.

## Clients

${table(['client', 'packages', 'speaks', 'set up with'], clientRows)}

The OpenAI clients take \`http://…/v1\` as their base URL, as does the AI SDK's Anthropic provider; Anthropic's own clients take the address without \`/v1\`.

## What works

Each row was seen on a backend that speaks chat completions and on one that speaks messages: ✓ means both.

${table(['', ...names], featureRows)}

${notes.map((note, index) => `${index + 1}. ${note}`).join('\n')}

## What is tried again

How often Weir saw a request that it refused with a status, with the retries that a client does by itself. In every case the
client failed with that status in its error.

${table(['status', ...names], refusalRows)}

- 400 to 413 cannot be helped by asking again, and no client asks again. That is why spent credits are a 402 and not a 429.
- 504 carries \`x-should-retry: false\`, since the same request would run, and cost, again: the clients of OpenAI and Anthropic obey
  it, the AI SDK, LangChain and curl do not know it.
- A failure after the first byte of a stream has the status 200, so nothing asks again; it reaches the caller as an error.
`
}

function cellOf(outcomes: [string, string][], marked: (why: string) => string): string {
  const words = unique(outcomes.map(([, outcome]) => outcome))
  if (words.length === 1 && words[0] === WORKS) return '✓'
  if (words.length === 1 && words[0] !== 'fails') return marked(words[0] ?? '')
  return outcomes.map(([backend, outcome]) => `${backend}: ${outcome === WORKS ? '✓' : outcome}`).join(', ')
}

const unique = <Item>(items: readonly Item[]): Item[] => [...new Set(items)]

/** A table whose columns are as wide as their widest cell, as the formatter has them. */
function table(head: string[], rows: string[][]): string {
  const widths = head.map((title, column) => Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: string[]) => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}
