import { type Command, InvalidArgumentError, Option } from 'commander'
import { alignAmounts } from '../amounts.ts'
import { listOf, Price } from '../answers.ts'
import type { Desk } from '../desk.ts'
import { localTime } from '../local-time.ts'
import { type Paging, readList, withPaging } from '../read-list.ts'
import { renderTable } from '../table.ts'
import { amountOrZero } from '../typed-amount.ts'
import { timeAhead } from '../typed-time.ts'

type SetOptions = { input: string; cachedInput?: string; output: string; per?: number; effectiveAt?: string }

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
      new Option('--per <tokens>', 'how many tokens the prices are for (1000000 when not said)').argParser(wholeNumber),
    )
    .addOption(
      new Option('--effective-at <time>', 'from when on: a time, or in how long, such as 7d; else at once').argParser(
        timeAhead,
      ),
    )
    .action(async (model: string, { input, cachedInput, output, per, effectiveAt }: SetOptions) => {
      const { answer } = await desk.api().post(['prices'], {
        model,
        input,
        ...(cachedInput !== undefined && { cached_input: cachedInput }),
        output,
        ...(per !== undefined && { per }),
        ...(effectiveAt !== undefined && { effective_at: effectiveAt }),
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

const columns = [
  { title: 'model' },
  { title: 'input', align: 'right' },
  { title: 'cached input', align: 'right' },
  { title: 'output', align: 'right' },
  { title: 'per', align: 'right' },
  { title: 'from' },
  { title: 'source' },
  { title: 'id' },
] as const

function rowsOf(prices: readonly Price[]): string[][] {
  const column = (name: 'input' | 'cached_input' | 'output') => alignAmounts(prices.map((price) => price[name]))
  const [input, cached, output] = [column('input'), column('cached_input'), column('output')]
  return prices.map(({ model, per, effective_at, source, id }, index) => [
    model,
    input[index] ?? '',
    cached[index] ?? '',
    output[index] ?? '',
    String(per),
    localTime(effective_at),
    source,
    id,
  ])
}
