import { type Command, InvalidArgumentError, Option } from 'commander'
import { alignAmounts } from '../amounts.ts'
import { listOf, Price } from '../answers.ts'
import type { Desk } from '../desk.ts'
import { usageFailure } from '../failure.ts'
import { localTime } from '../local-time.ts'
import { type Paging, readList, withPaging } from '../read-list.ts'
import { renderTable } from '../table.ts'
import { amountOrNone, amountOrZero } from '../typed-amount.ts'
import { timeAhead } from '../typed-time.ts'

type SetOptions = { per?: number; batchDiscount?: number | 'none'; effectiveAt?: string } & {
  [Part in 'input' | 'output' | 'cachedInput' | 'cacheWrite' | 'reasoning' | 'image' | 'request' | 'minimum']?: string
}

/** `weir prices list|history|set` */
export function addPrices(program: Command, desk: Desk): void {
  const prices = program.command('prices').description('what models cost')
  const render = (versions: readonly Price[], colour: boolean) => renderTable(columns, rowsOf(versions), colour)

  prices
    .command('list')
    .description('the prices in force, and those to come')
    .action(async () => {
      desk.show(await desk.api().get(['prices']), listOf(Price), ({ data }, colour) => render(data, colour))
    })

  withPaging(prices.command('history <model>').description('all prices that a model had, newest first')).action(
    async (model: string, paging: Paging) => {
      const answer = await readList(desk, ['prices', 'history'], paging, { model })
      desk.show(answer, listOf(Price), ({ data }, colour) => render(data, colour))
    },
  )

  prices
    .command('set <model>')
    .description('change the price of a model; parts not named stay, completions accepted before keep theirs')
    .addOption(priceOption('--input <credits>', 'for input tokens', amountOrZero))
    .addOption(priceOption('--output <credits>', 'for output tokens', amountOrZero))
    .addOption(
      priceOption('--cached-input <credits>', 'for input tokens that the backend had cached; none: as --input'),
    )
    .addOption(
      priceOption('--cache-write <credits>', 'for input tokens that the backend writes to a cache; none: as --input'),
    )
    .addOption(priceOption('--reasoning <credits>', 'for tokens of reasoning; none: as --output'))
    .addOption(
      new Option('--per <tokens>', 'how many tokens these prices are for (1000000 when not said)').argParser(
        wholeNumber,
      ),
    )
    .addOption(priceOption('--image <credits>', 'for each image in a request, beside its tokens, or none'))
    .addOption(priceOption('--request <credits>', 'for each completion that is charged, or none'))
    .addOption(priceOption('--minimum <credits>', 'that a completion costs at least which is charged, or none'))
    .addOption(
      new Option('--batch-discount <percent>', 'how much less a line of a batch pays, or none').argParser(wholePercent),
    )
    .addOption(
      new Option('--effective-at <time>', 'from when on: a time, or in how long, such as 7d; else at once').argParser(
        timeAhead,
      ),
    )
    .action(async (model: string, said: SetOptions) => {
      const parts = onTheWire(said)
      if (Object.keys(parts).length === 0)
        throw usageFailure('Name what is to change: --input, --output or another part; --help has them all.')
      const prices = desk.isJson() ? undefined : listOf(Price).safeParse(await desk.api().get(['prices'])).data?.data
      const when = { per: said.per, effective_at: said.effectiveAt }
      const { answer } = await desk.api().post(['prices'], { model, ...parts, ...when })
      desk.show(answer, Price, (price, colour) => renderChange(priceBefore(prices ?? [], price), price, colour))
    })
}

/** What was not said is left as it is; null takes a part away. */
function onTheWire(said: SetOptions) {
  const parts = {
    input: said.input,
    cached_input: said.cachedInput,
    cache_write: said.cacheWrite,
    output: said.output,
    reasoning: said.reasoning,
    image: said.image,
    request: said.request,
    minimum: said.minimum,
    batch_discount: said.batchDiscount,
  }
  return Object.fromEntries(
    Object.entries(parts)
      .filter(([, value]) => value !== undefined)
      .map(([part, value]) => [part, value === 'none' ? null : value]),
  )
}

/** The one whose place a price takes; the list has the earliest first. */
const priceBefore = (prices: readonly Price[], after: Price): Price | undefined =>
  prices.findLast(({ model, effective_at }) => model === after.model && effective_at <= after.effective_at)

function renderChange(before: Price | undefined, after: Price, colour: boolean): string {
  const rows = rowsOf(before ? [before, after] : [after])
  const titled = before ? rows.map((row, index) => [index === 0 ? 'before' : 'after', ...row]) : rows
  return renderTable(before ? [{ title: '' }, ...columns] : columns, titled, colour)
}

const priceOption = (flags: string, inWords: string, amountOf = amountOrNone): Option =>
  new Option(flags, `credits ${inWords}`).argParser(amountOf)

function wholeNumber(typed: string): number {
  if (!/^[1-9]\d{0,8}$/.test(typed)) throw new InvalidArgumentError('It must be a whole number above zero.')
  return Number(typed)
}

function wholePercent(typed: string): number | 'none' {
  if (typed === 'none') return typed
  if (!/^(\d|[1-9]\d|100)$/.test(typed))
    throw new InvalidArgumentError("It must be a whole number, 0 to 100, or 'none'.")
  return Number(typed)
}

const columns = [
  { title: 'model' },
  { title: 'input', align: 'right' },
  { title: 'cached input', align: 'right' },
  { title: 'cache write', align: 'right' },
  { title: 'output', align: 'right' },
  { title: 'reasoning', align: 'right' },
  { title: 'per', align: 'right' },
  { title: 'image', align: 'right' },
  { title: 'request', align: 'right' },
  { title: 'minimum', align: 'right' },
  { title: 'batch discount', align: 'right' },
  { title: 'from' },
  { title: 'source' },
  { title: 'id' },
] as const

const tokenPrices = ['input', 'cached_input', 'cache_write', 'output', 'reasoning'] as const
const otherPrices = ['image', 'request', 'minimum'] as const

function rowsOf(prices: readonly Price[]): string[][] {
  const columnOf = (name: (typeof tokenPrices | typeof otherPrices)[number]) =>
    alignAmounts(prices.map((price) => price[name]))
  const [forTokens, forOthers] = [tokenPrices.map(columnOf), otherPrices.map(columnOf)]
  return prices.map(({ model, per, batch_discount, effective_at, source, served, id }, row) => [
    served ? model : `${model} (not served)`,
    ...forTokens.map((column) => column[row] ?? ''),
    String(per),
    ...forOthers.map((column) => column[row] ?? ''),
    `${batch_discount}%`,
    localTime(effective_at),
    source,
    id,
  ])
}
