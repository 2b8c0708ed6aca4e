/** What auto_explain says of a statement, as far as it is told on. */
export type LoggedPlan = { Plan: PlanNode }
type PlanNode = {
  'Node Type': string
  Operation?: string
  'Relation Name'?: string
  'Index Name'?: string
  'Actual Loops': number
  'Actual Rows': number
  'Rows Removed by Filter'?: number
  'Shared Hit Blocks': number
  'Shared Read Blocks': number
  Plans?: PlanNode[]
}

/** A plan in one line: what is written, what is read in which way, how often, with how many rows, and the pages touched. */
export function planLine({ Plan: root }: LoggedPlan): string {
  const nodes = nodesOf(root)
  const reads = nodes.filter((node) => node['Relation Name'] && !node.Operation)
  const written = nodes.find(({ Operation }) => Operation !== undefined)?.Operation
  return [
    ...(written ? [written.toLowerCase()] : []),
    ...[...Map.groupBy(reads, wayOf)].map(([way, alike]) => readOf(way, alike)),
    `${(root['Shared Hit Blocks'] + root['Shared Read Blocks']).toLocaleString('en')} pages`,
  ].join('; ')
}

const nodesOf = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)]

const monthIn = /_(\d{4}_\d{2}|default)/

/** By which index, or that it is read through; the same of all months. */
function wayOf(node: PlanNode): string {
  const index = node['Index Name'] ?? nodesOf(node).find((inner) => inner['Index Name'])?.['Index Name']
  return (index ?? `${node['Node Type']} of ${node['Relation Name']}`).replace(monthIn, '')
}

function readOf(way: string, alike: readonly PlanNode[]): string {
  const used = alike.filter((node) => node['Actual Loops'] > 0)
  const total = (of: (node: PlanNode) => number | undefined) =>
    Math.round(used.reduce((sum, node) => sum + (of(node) ?? 0) * node['Actual Loops'], 0)).toLocaleString('en')
  const times = Math.max(0, ...used.map((node) => node['Actual Loops']))
  const discarded = total((node) => node['Rows Removed by Filter'])
  return [
    way,
    times > 1 ? ` ×${times}` : '',
    monthsOf(alike, used),
    `, ${total((node) => node['Actual Rows'])} rows`,
    discarded === '0' ? '' : ` and ${discarded} discarded`,
  ].join('')
}

function monthsOf(alike: readonly PlanNode[], used: readonly PlanNode[]): string {
  const months = new Set(used.flatMap((node) => monthIn.exec(node['Relation Name']!)?.[1] ?? []))
  if (months.size === 0) return ''
  const where = months.size === 1 ? [...months][0]! : `${months.size} tables`
  return alike.length > used.length ? ` (${where} of ${alike.length})` : ` (${where})`
}
