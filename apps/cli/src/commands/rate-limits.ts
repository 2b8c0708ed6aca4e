import { type Command, InvalidArgumentError, Option } from 'commander'
import { RateLimits } from '../answers.ts'
import type { Desk } from '../desk.ts'
import { usageFailure } from '../failure.ts'
import { renderFields } from '../table.ts'

type Owner = { key?: string }
type Limits = { concurrent?: Most; queued?: Most; requests?: Most; tokens?: Most }
type Most = number | 'none'

/** `weir rate-limits show|set|clear` */
export function addRateLimits(program: Command, desk: Desk): void {
  const rateLimits = program
    .command('rate-limits')
    .description('how much an account or a key may ask for at once and in a minute')
  const pathOf = (account: string, { key }: Owner) => [
    'accounts',
    desk.account(account),
    ...(key === undefined ? [] : ['keys', desk.key(key)]),
    'rate-limits',
  ]
  const show = (answer: unknown) =>
    desk.show(answer, RateLimits, (limits, colour) => renderFields(fieldsOf(limits), colour))

  rateLimits
    .command('show <account>')
    .description('what was decided; the rest is as the settings say')
    .addOption(ofKey())
    .action(async (account: string, owner: Owner) => show(await desk.api().get(pathOf(account, owner))))

  rateLimits
    .command('set <account>')
    .description('change limits; those not named stay')
    .addOption(ofKey())
    .addOption(limitOption('concurrent', 'completions', 'waiting or running at once'))
    .addOption(limitOption('queued', 'completions', 'waiting for a worker at once'))
    .addOption(limitOption('requests', 'number', 'requests in a minute'))
    .addOption(limitOption('tokens', 'number', 'tokens in a minute, input and output together'))
    .action(async (account: string, { key, ...limits }: Owner & Limits) => {
      if (Object.keys(limits).length === 0)
        throw usageFailure('Name a limit: --concurrent, --queued, --requests or --tokens.')
      show(await desk.api().put(pathOf(account, key === undefined ? {} : { key }), onTheWire(limits)))
    })

  rateLimits
    .command('clear <account>')
    .description('take away what was decided')
    .addOption(ofKey())
    .action(async (account: string, owner: Owner) => show(await desk.api().delete(pathOf(account, owner))))
}

const ofKey = () => new Option('--key <key>', 'those of one key, not of the account')

const limitOption = (name: string, unit: string, inWords: string): Option =>
  new Option(`--${name} <${unit}>`, `the most ${inWords}, or none`).argParser(countOrNone)

function countOrNone(typed: string): Most {
  if (typed === 'none') return typed
  const count = /^\d{1,10}$/.test(typed) ? Number(typed) : 0
  if (count < 1) throw new InvalidArgumentError("It must be a whole number above zero, or 'none'.")
  return count
}

/** What was not said is left as it is; null takes a limit away. */
function onTheWire({ concurrent, queued, requests, tokens }: Limits) {
  const said = { concurrent, queued, requests_per_minute: requests, tokens_per_minute: tokens }
  return Object.fromEntries(
    Object.entries(said)
      .filter(([, most]) => most !== undefined)
      .map(([name, most]) => [name, most === 'none' ? null : most]),
  )
}

const fieldsOf = (limits: RateLimits): [string, string][] =>
  (['concurrent', 'queued', 'requests_per_minute', 'tokens_per_minute'] as const).map((name) => [
    name.replaceAll('_', ' '),
    limits[name] === null ? '-' : String(limits[name]),
  ])
