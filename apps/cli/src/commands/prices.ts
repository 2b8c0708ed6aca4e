import { type Command, InvalidArgumentError, Option } from 'commander'
import { alignAmounts } from '../amounts.ts'
import { listOf, Price } from '../answers.ts'
import type { Desk } from '../desk.ts'
import { localTime } from '../local-time.ts'
import { type Paging, readList, withPaging } from '../read-list.ts'
import { renderTable } from '../table.ts'
import { amountOrZero } from '../typed-amount.ts'
import { timeAhead } from '../typed-time.ts'

type SetOptions = { input: string; output: string; per?: number; batchDiscount?: number; effectiveAt?: string } & {
  [Part in 'cachedInput' | 'cacheWrite' | 'reasoning' | 'image' | 'request' | 'minimum']?: string
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
    .description('give a model a new price; completions accepted before keep theirs')
    .addOption(priceOption('--input <credits>', 'for input tokens').makeOptionMandatory())
    .addOption(priceOption('--output <credits>', 'for output tokens').makeOptionMandatory())
    .addOption(priceOption('--cached-input <credits>', 'for input tokens that the backend had cached; else as --input'))
    .addOption(
      priceOption('--cache-write <credits>', 'for input tokens that the backend writes to a cache; else as --input'),
    )
    .addOption(priceOption('--reasoning <credits>', 'for tokens of reasoning; else as --output'))
    .addOption(
      new Option('--per <tokens>', 'how many tokens these prices are for (1000000 when not said)').argParser(
        wholeNumber,
      ),
    )
    .addOption(priceOption('--image <credits>', 'for each image in a request, beside its tokens'))
    .addOption(priceOption('--request <credits>', 'for each completion that is charged'))
    .addOption(priceOption('--minimum <credits>', 'that a completion costs at least which is charged'))
    .addOption(new Option('--batch-discount <percent>', 'how much less a line of a batch pays').argParser(wholePercent))
    .addOption(
      new Option('--effective-at <time>', 'from when on: a time, or in how long, such as 7d; else at once').argParser(
        timeAhead,
      ),
    )
    .action(async (model: string, said: SetOptions) => {
      // What was not said does not travel: JSON has no undefined.
      const { answer } = await desk.api().post(['prices'], {
        model,
        input: said.input,
        cached_input: said.cachedInput,
        cache_write: said.cacheWrite,
        output: said.output,
        reasoning: said.reasoning,
        per: said.per,
        image: said.image,
        request: said.request,
        minimum: said.minimum,
        batch_discount: said.batchDiscount,
        effective_at: said.effectiveAt,
      })
      desk.show(answer, Price, (price, colour) => render([price], colour))
    })
}

const priceOption = (flags: string, inWords: string): Option =>
  new Option(flags, `credits ${inWords}`).argParser(amountOrZero)

function wholeNumber(typed: string): number {
  if (!/^[1-9]\d{0,8}$/.test(typed)) throw new InvalidArgumentError('It must be a whole number above zero.')
  return Number(typed)
}

function wholePercent(typed: string): number {
  if (!/^(\d|[1-9]\d|100)$/.test(typed)) throw new InvalidArgumentError('It must be a whole number, 0 to 100.')
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
  { title: 'batch', align: 'right' },
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
    batch_discount === 0 ? '' : `-${batch_discount}%`,
    localTime(effective_at),
    source,
    id,
  ])
}
