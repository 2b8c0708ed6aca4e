// What becomes of the ledger as it grows: `npm run load:ledger -- --completions 10000000`.
//
// On a Postgres of its own, as `npm start` would start one, durable and with its settings untouched, three books of the
// same 1,000 accounts: with 10,000 completions and few months, with 10,000 and as many months as a service keeps, and with
// as many completions as were asked for and those months. The statements the service asks all day are timed on all three in turns, and
// explained; then a month is made and another one taken out, archived and dropped, while a small service goes on.
//
// A quarter of the completions is of one account; its statements are the ones to look at. Ids are drawn at random over all
// months, so most pages come from the system's cache and not from Postgres's own.
import { openDatabase } from '@weir/runtime'
import { sql } from 'kysely'
import { ledgerMigrations } from '../../src/index.ts'
import { openServer } from '../server.ts'
import { drawCast } from './cast.ts'
import { explainStatements } from './explain-statements.ts'
import { hotStatements } from './hot-statements.ts'
import { loadBooks } from './load-books.ts'
import { type Options, parseOptions, usage } from './options.ts'
import { choresTable, plansText, sizesTable, timesTable } from './report.ts'
import { hotShareOf, sizesOf } from './sizes.ts'
import { timeStatements } from './time-statements.ts'
import { dropArchive, keepAMonth, provingSeconds } from './upkeep.ts'

/** A month is loaded, read through and checked in single statements. */
const PATIENT_MS = 3_600_000

const { completions, runs } = optionsOrExit()
const count = (n: number) => n.toLocaleString('en')
const tell = (text: string) => console.log(`${text}\n`)

await using resources = new AsyncDisposableStack()
const server = resources.use(await openServer(ledgerMigrations, async () => {}))
const open = (name: string, max: number) =>
  resources.use(openDatabase(server.urlOf(name), { max, timeoutMs: PATIENT_MS, onError: () => {} }))
tell(`${server.version}, Node ${process.version}`)

const books = [
  { name: 'young', completions: 10_000, monthsKept: 2 },
  { name: 'small', completions: 10_000, monthsKept: 13 },
  { name: 'grown', completions, monthsKept: 13 },
]
const columns = books.map(({ completions, monthsKept }) => `${count(completions)} in ${monthsKept + 3} months`)
const opened = []
for (const { name, ...load } of books) {
  await server.copy(name)
  const db = open(name, 4)
  opened.push(db)
  tell(`${count(load.completions)} completions loaded in ${(await loadBooks(db, load)).toFixed(1)} s`)
}
const grown = opened.at(-1)!
tell(`proved in ${(await provingSeconds(grown)).toFixed(1)} s`)
tell(sizesTable(await sizesOf(grown), completions))
tell(`reservations ended without touching an index: ${((await hotShareOf(grown)) * 100).toFixed(1)} %`)

await sql`checkpoint`.execute(server.admin)
const rounds = await Promise.all(opened.map(async (db) => hotStatements(db, await drawCast(db))))
tell(timesTable(columns, await timeStatements(rounds, runs)))
for (const [index, name] of [
  [0, 'young'],
  [2, 'grown'],
] as const) {
  const db = open(name, 1)
  tell(`${columns[index]}\n${plansText(await explainStatements(db, hotStatements(db, await drawCast(db))))}`)
}

tell(choresTable(await keepAMonth(grown)))
await dropArchive(grown)
tell(`with a month less, proved in ${(await provingSeconds(grown)).toFixed(1)} s`)

function optionsOrExit(): Options {
  try {
    const parsed = parseOptions(process.argv.slice(2))
    if (parsed !== 'help') return parsed
    console.log(usage)
    process.exit(0)
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`)
    process.exit(2)
  }
}
