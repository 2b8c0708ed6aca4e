import { Readable } from 'node:stream'
import { type AccountId, ServiceError } from '@weir/contracts'
import type { Ledger, LedgerHistory } from '@weir/ledger'
import type { AccountStore } from '@weir/store'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { periodOf, time } from '../inputs.ts'
import { AccountParams, adminSchema, existing, refusals } from './shared.ts'
import { type Line, statementFormats } from './statement-formats.ts'

export type StatementDeps = {
  accounts: AccountStore
  ledger: Pick<Ledger, 'entriesOf'>
  history: Pick<LedgerHistory, 'lastEntryBefore' | 'balanceAfter' | 'keptSince'>
  /** A reader that takes nothing for so long is cut off. */
  eventStream: { stallMs: number }
}

type Period = { from: Date; to: Date }

const PAGE = 500

/** GET /accounts/:id/statement: all entries of a period between an opening and a closing balance. */
export function statement(deps: StatementDeps) {
  return async (app: FastifyInstance) => {
    app.withTypeProvider<ZodTypeProvider>().get(
      '/accounts/:id/statement',
      {
        schema: {
          ...adminSchema,
          summary: 'Download all entries of a period, oldest first, between an opening and a closing balance',
          params: AccountParams,
          querystring: z.strictObject({
            from: time.optional().describe('By default thirty days ago'),
            to: time.optional().describe('Up to then; by default now'),
            format: z.enum(['jsonl', 'csv']).default('jsonl'),
          }),
          response: {
            200: {
              content: { 'application/jsonl': { schema: z.string() }, 'text/csv': { schema: z.string() } },
            },
            ...refusals,
          },
        },
      },
      async (request, reply) => {
        const {
          params: { id },
          query,
        } = request
        await existing(deps.accounts, id)
        const period = periodOf(query)
        const pages = await statementOf(deps, id, period)

        const { contentType, extension, textOf } = statementFormats[query.format]
        const name = `${id}_${dayOf(period.from)}_${dayOf(period.to)}.${extension}`
        reply.raw.setTimeout(deps.eventStream.stallMs, () => {
          request.log.warn({ account: id }, 'statement was not taken')
          reply.raw.destroy()
        })
        return (
          reply
            .header('content-type', contentType)
            .header('content-disposition', `attachment; filename="${name}"`)
            // A stream is sent as it is; the schema speaks of what is in it.
            .send(Readable.from(mapped(pages, textOf)) as unknown as string)
        )
      },
    )
  }
}

const dayOf = (time: Date): string => time.toISOString().slice(0, 10)

/**
 * The statement, page by page, as its reader takes it. Entries are numbered and only ever added, so no snapshot has to be
 * held meanwhile: what belongs to the period is known before the first page. An entry that is not where it must be breaks
 * the download off, and its closing line is missing. Entries are archived with the month in which their completions began,
 * so one that was charged just after it may lack: what it moved is in the opening balance.
 */
async function statementOf({ ledger, history }: StatementDeps, id: AccountId, { from, to }: Period) {
  const since = await history.keptSince(id)
  if (since && from < since) {
    const message = `The entries of this account before ${since.toISOString()} are archived: 'from' cannot be earlier.`
    throw new ServiceError('invalid_request', message, { param: 'from' })
  }
  const [before, last] = await Promise.all([history.lastEntryBefore(id, from), history.lastEntryBefore(id, to)])
  const opening = await history.balanceAfter(id, before)

  async function* pages(): AsyncGenerator<Line[]> {
    yield [{ kind: 'opening_balance', accountId: id, at: from, balance: opening }]
    let balance = opening
    let count = 0
    for (let read = before; read < last; read = Math.min(read + PAGE, last)) {
      const upTo = Math.min(read + PAGE, last)
      const newest = await ledger.entriesOf(id, { limit: upTo - read, before: upTo + 1 })
      const entries = newest.filter(({ sequence }) => sequence > read).reverse()
      if (entries.length < upTo - read && !since)
        throw new Error(`entries ${read + 1} to ${upTo} of ${id} are not whole`)
      count += entries.length
      yield entries.map((entry): Line => {
        if (entry.kind !== 'uncollected') balance += entry.amount
        return { kind: 'entry', entry, balance }
      })
    }
    yield [{ kind: 'closing_balance', accountId: id, at: to, balance, entries: count }]
  }
  return pages()
}

async function* mapped<T>(pages: AsyncIterable<T>, textOf: (page: T) => string): AsyncGenerator<string> {
  for await (const page of pages) yield textOf(page)
}
