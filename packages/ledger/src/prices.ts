import { Price, type PriceId, newPriceId, priceIdOf, uuidOf } from '@weir/contracts'
import type { Database } from '@weir/runtime'
import { sql } from 'kysely'
import { z } from 'zod'
import type { LedgerTables, PriceSource } from './tables.ts'

/** A price of a model, in force from `effectiveAt` until the model's next one. It never changes. */
export type PriceVersion = { id: PriceId; model: string; price: Price; effectiveAt: Date; source: PriceSource }

export type Prices = ReturnType<typeof createPrices>

/** The versions of all prices. A reservation names the one it was quoted with, so that its cost can always be recomputed. */
export function createPrices(database: Database) {
  const db = database.withTables<LedgerTables>()

  async function find(id: PriceId): Promise<PriceVersion | undefined> {
    const row = await db.selectFrom('ledger.price_version').selectAll().where('id', '=', uuidOf(id)).executeTakeFirst()
    return row && versionOf(row)
  }

  return {
    /** Notes what a catalogue says. What it said the last time changes nothing, whatever was set by operators since. */
    async register(models: readonly { id: string; price: Price }[]): Promise<void> {
      await sql`select ledger.register_prices(
        ${models.map(() => uuidOf(newPriceId()))}::uuid[], ${models.map(({ id }) => id)}::text[],
        ${models.map(({ price }) => JSON.stringify(z.encode(Price, price)))}::jsonb[])`.execute(db)
    },

    /** A new price of a model, from a time on; by default from now. */
    async set(model: string, price: Price, effectiveAt?: Date): Promise<PriceVersion> {
      const id = newPriceId()
      await sql`insert into ledger.price_version (id, model, effective_at, price, source) values (
        ${uuidOf(id)}, ${model}, coalesce(${effectiveAt?.toISOString() ?? null}::timestamptz, ledger.clock()),
        ${JSON.stringify(z.encode(Price, price))}, 'admin')`.execute(db)
      return (await find(id))!
    },

    find,

    /** Of every model: the version in force and those to come, the earliest first. */
    async current(): Promise<PriceVersion[]> {
      const { rows } = await sql<VersionRow>`
        select * from (
          select distinct on (model) * from ledger.price_version where effective_at <= ledger.clock()
          order by model, effective_at desc, id desc
        ) in_force
        union all select * from ledger.price_version where effective_at > ledger.clock()
        order by effective_at, id`.execute(db)
      return rows.map(versionOf)
    },

    /** All versions of a model, those to come included, the newest first. */
    async history(model: string, page: { limit: number; after?: PriceId | undefined }): Promise<PriceVersion[]> {
      const rows = await db
        .selectFrom('ledger.price_version')
        .selectAll()
        .where('model', '=', model)
        .$if(page.after !== undefined, (query) =>
          query.where(
            sql<boolean>`(effective_at, id) <
              (select before.effective_at, before.id from ledger.price_version before where before.id = ${uuidOf(page.after!)})`,
          ),
        )
        .orderBy('effective_at', 'desc')
        .orderBy('id', 'desc')
        .limit(page.limit)
        .execute()
      return rows.map(versionOf)
    },
  }
}

type VersionRow = { id: string; model: string; effective_at: Date; price: unknown; source: PriceSource }

const versionOf = ({ id, model, effective_at, price, source }: VersionRow): PriceVersion => ({
  id: priceIdOf(id),
  model,
  price: z.decode(Price, price as z.input<typeof Price>),
  effectiveAt: effective_at,
  source,
})
