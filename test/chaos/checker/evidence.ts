import type { Received } from '../../e2e/testing/receiver.ts'
import type { Inflicted } from '../faults/inflict.ts'
import type { Exchange, History, Play } from '../history.ts'
import type { Production } from '../model/model-server.ts'
import type { Life } from '../place/life.ts'
import type { BooksAnswer } from './read-books.ts'
import type { Row } from './read-rows.ts'

/** Everything that is known when all is quiet. */
export type Evidence = {
  history: History
  productions: readonly Production[]
  rows: Row[]
  /** Names of the files that are there. */
  files: string[]
  /** Webhooks, as they came. */
  received: readonly Received[]
  books: BooksAnswer
  lives: Life[]
  inflicted: Inflicted[]
  /** How long clients asked. */
  askedForMs: number
  /** What had not come to its end although everybody had waited for it. */
  unquiet: string[]
}

export type Violation = {
  rule: string
  message: string
  play?: number | undefined
  completionId?: string | undefined
}

/** One play with all that belongs to it, for rules that look at one after another; each line of a batch follows it as one of its own. */
export type Case = {
  play: Play
  exchanges: Exchange[]
  productions: Production[]
  rows: Row[]
}

export function casesOf({ history, productions, rows }: Evidence): Case[] {
  const exchangesOf = Map.groupBy(history.exchanges, ({ play }) => play)
  const productionsOf = Map.groupBy(productions, ({ token }) => token)
  const rowsOf = Map.groupBy(rows, ({ play, line }) => line ?? `t${play}`)
  const caseOf = (play: Play, exchanges: Exchange[]): Case => {
    const { token } = play.script
    return { play, exchanges, productions: productionsOf.get(token) ?? [], rows: rowsOf.get(token) ?? [] }
  }
  return history.plays.flatMap((play) => [
    caseOf(play, exchangesOf.get(play.number) ?? []),
    ...(play.batch?.lines ?? []).map((script) => caseOf({ ...play, script }, [])),
  ])
}

/** Of the client's whole answers: a plain one, or a stream to its [DONE]. */
export const isWhole = ({ end, status, finishReason }: Exchange): boolean =>
  end === 'done' || (end === 'answered' && status === 200 && finishReason !== undefined)
