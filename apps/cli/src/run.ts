import { Command, CommanderError } from 'commander'
import { addAccounts } from './commands/accounts.ts'
import { addActions } from './commands/actions.ts'
import { addAdjustments } from './commands/adjustments.ts'
import { addBackends } from './commands/backends.ts'
import { addBatches } from './commands/batches.ts'
import { addConfig } from './commands/config.ts'
import { addCredits } from './commands/credits.ts'
import { addEntries } from './commands/entries.ts'
import { addGrants } from './commands/grants.ts'
import { addKeys } from './commands/keys.ts'
import { addLedger } from './commands/ledger.ts'
import { addPrices } from './commands/prices.ts'
import { addRateLimits } from './commands/rate-limits.ts'
import { addReceipts } from './commands/receipts.ts'
import { addRefunds } from './commands/refunds.ts'
import { addStatement } from './commands/statement.ts'
import { addUsage } from './commands/usage.ts'
import { addWebhooks } from './commands/webhooks.ts'
import { createDesk, type GlobalOptions, type Surroundings } from './desk.ts'
import { CommandFailure } from './failure.ts'

/** Runs one command. Resolves with the exit code: 0 done, 1 the server refused or failed, 2 the command was wrong. */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const program = createProgram(surroundings)
  try {
    await program.parseAsync(args, { from: 'user' })
    return 0
  } catch (error) {
    // Commander has printed its own message by now; asking for help is no error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (!(error instanceof CommandFailure)) throw error
    surroundings.err(`weir: ${error.message}\n`)
    return error.exitCode
  }
}

function createProgram(surroundings: Surroundings): Command {
  const program = new Command('weir')
    .description('Operate a Weir server: accounts, their keys, their credits, prices and the books.')
    .option('--url <url>', 'where Weir listens (or WEIR_URL)')
    .option('--admin-key <key>', 'the admin key (or WEIR_ADMIN_KEY)')
    .option('--json', "print the API's JSON instead of tables")
    .addHelpText('after', help)
    .showHelpAfterError('Add --help to see how it is used.')
    .exitOverride()
    .configureOutput({ writeOut: surroundings.out, writeErr: surroundings.err })

  const desk = createDesk(surroundings, () => program.opts<GlobalOptions>())
  for (const add of commands) add(program, desk)
  return program
}

/** In the order in which the help names them. */
const commands = [
  addAccounts,
  addKeys,
  addRateLimits,
  addGrants,
  addAdjustments,
  addRefunds,
  addActions,
  addCredits,
  addEntries,
  addUsage,
  addStatement,
  addReceipts,
  addPrices,
  addBackends,
  addBatches,
  addWebhooks,
  addLedger,
  addConfig,
]

const help = `
Without a URL and a key, the server of the nearest .weir/local.json is used: the one that npm start runs.
There, 'local' stands for its account.

Examples:
  weir accounts create acme
  weir keys create local laptop
  weir grants create local 25.50 --kind purchased --reference invoice-17
  weir grants create local 100 --kind subscription --priority 10 --expires-at 30d
  weir adjustments create local -2.50 --reason 'granted twice'
  weir entries local --limit 20
  weir statement local --from 2026-01-01 --to 2026-02-01 -o january.csv
`
