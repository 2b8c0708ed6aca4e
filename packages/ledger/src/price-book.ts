import type { Price } from '@weir/contracts'
import { repeat } from '@weir/runtime'
import type { PriceVersion, Prices } from './prices.ts'

/** The prices in force, in memory: what requests are quoted with. */
export type PriceBook = AsyncDisposable & {
  /** The version in force now. Throws for a model that the catalogue it was opened with does not have. */
  priceOf(model: string): PriceVersion
}

/**
 * Notes the catalogue's prices and keeps those in force at hand. Versions to come take effect on time; one that an operator
 * adds is known after `refreshMs` at the latest. While Postgres is away the prices known last go on.
 */
export async function openPriceBook(
  prices: Pick<Prices, 'register' | 'current'>,
  models: readonly { id: string; price: Price }[],
  options: { refreshMs: number; onError: (error: unknown) => void },
): Promise<PriceBook> {
  await prices.register(models)
  let versions = new Map<string, PriceVersion[]>()
  async function refresh() {
    versions = Map.groupBy(await prices.current(), ({ model }) => model)
  }
  await refresh()
  const refreshing = repeat(options.refreshMs, refresh, options.onError, 'later')

  return {
    priceOf(model) {
      const now = Date.now()
      const version = versions.get(model)?.findLast(({ effectiveAt }) => effectiveAt.getTime() <= now)
      // The clock of Postgres, which said that one is in force, may be a little ahead of ours.
      const standing = version ?? versions.get(model)?.[0]
      if (!standing) throw new Error(`the model ${model} has no price`)
      return standing
    },
    [Symbol.asyncDispose]: () => refreshing[Symbol.asyncDispose](),
  }
}
