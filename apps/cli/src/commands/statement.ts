import { type Command, Option } from 'commander'
import type { Desk } from '../desk.ts'
import { from, to } from '../options.ts'
import { saveWhole } from '../save-whole.ts'
import { type StatementFormat, wholeStatement } from '../whole-statement.ts'

type StatementOptions = { from?: string; to?: string; format?: StatementFormat; output?: string }

/** `weir statement` */
export function addStatement(program: Command, desk: Desk): void {
  program
    .command('statement <account>')
    .description(
      'all movements of a period (the last 30 days if nothing else is said), oldest first, between its balances',
    )
    .addOption(from())
    .addOption(to())
    .addOption(
      new Option('--format <format>', 'a table, or a line of JSON each (as with --json)').choices(['csv', 'jsonl']),
    )
    .option('-o, --output <file>', 'save it there instead of printing it; the file appears when it is whole')
    .action(
      async (account: string, { output, format = desk.isJson() ? 'jsonl' : 'csv', ...period }: StatementOptions) => {
        const answer = desk.api().download(['accounts', desk.account(account), 'statement'], { format, ...period })
        const bytes = wholeStatement(answer, format)
        if (output === undefined) return desk.pour(bytes)
        await saveWhole(output, bytes)
        desk.remark(`The statement is in ${output}.`)
      },
    )
}
