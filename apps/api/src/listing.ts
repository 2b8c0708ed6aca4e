/** A page as it travels. One item more than it may hold is fetched, to know whether there are more. */
export async function listOf<Item, Rendered>(
  limit: number,
  fetch: (limit: number) => Promise<Item[]>,
  lastIdOf: (item: Item) => string,
  render: (item: Item) => Rendered,
) {
  const items = await fetch(limit + 1)
  const page = items.slice(0, limit)
  const last = page.at(-1)
  return {
    object: 'list' as const,
    data: page.map(render),
    has_more: items.length > limit,
    last_id: last === undefined ? null : lastIdOf(last),
  }
}
