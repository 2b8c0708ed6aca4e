import { type Command, InvalidArgumentError, Option } from 'commander'
import { z } from 'zod'
import type { Desk } from './desk.ts'
import { serverFailure } from './failure.ts'

export type Paging = { limit?: string; all?: true }

/** Gives a list command its `--limit` and `--all`. */
export const withPaging = (command: Command): Command =>
  command
    .option('--limit <count>', 'show at most so many (1 to 1000)', wholeNumber)
    .addOption(new Option('--all', 'show all, however many there are').conflicts('limit'))

/** The most that the server gives at once. */
const PAGE_LIMIT = 1000

/** What paging needs to know of a list; the rest is left as it came. */
const Page = z.object({ data: z.array(z.unknown()), has_more: z.boolean(), last_id: z.string().nullable() })
type Page = z.infer<typeof Page>

/** Reads a list of the admin API: one page, or with `--all` every page joined into one answer. */
export async function readList(
  desk: Desk,
  path: readonly string[],
  { limit, all }: Paging,
  query: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const api = desk.api()
  const readPage = async (page: Record<string, string>) => pageOf(await api.get(path, { ...query, ...page }))

  let page = await readPage(all ? { limit: `${PAGE_LIMIT}` } : { ...(limit && { limit }) })
  if (!all) {
    if (page.has_more) desk.remark('There are more: --all shows them.')
    return page
  }
  const data = [...page.data]
  for (let after = ''; page.has_more; data.push(...page.data)) {
    after = nextCursor(page, after)
    page = await readPage({ limit: `${PAGE_LIMIT}`, after })
  }
  return { ...page, data }
}

function pageOf(answer: unknown): Page {
  if (!Page.safeParse(answer).success) throw serverFailure('That is no list; is the server of another version?')
  return answer as Page
}

/** A server that gave the same page again would keep us here for ever. */
function nextCursor({ last_id }: Page, previous: string): string {
  if (last_id === null || last_id === previous) throw serverFailure('The server gave the same page twice.')
  return last_id
}

function wholeNumber(typed: string): string {
  if (!/^[1-9]\d*$/.test(typed)) throw new InvalidArgumentError('It must be a whole number above zero.')
  return typed
}
