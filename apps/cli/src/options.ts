import { InvalidArgumentError, Option } from 'commander'
import { timeAgo, timeAhead } from './typed-time.ts'

/** Why something is done that cannot be taken back quietly. It stands in the books beside who did it. */
export const reason = (): Option =>
  new Option('--reason <text>', 'why; it stands in the books').argParser(sentence).makeOptionMandatory()

/** The name under which something is done at most once. */
export const reference = (): Option =>
  new Option('--reference <text>', 'what it is for; with the same reference it is done once')

export const kind = (): Option =>
  new Option('--kind <kind>', 'where the credits come from').choices(['promotional', 'subscription', 'purchased'])

export const priority = (): Option =>
  new Option('--priority <number>', 'lower ones are drawn first (0 to 32767, 100 when not said)').argParser(rank)

export const expiresAt = (): Option =>
  new Option('--expires-at <time>', 'when the rest is forfeited: a time, or in how long, such as 30d').argParser(
    timeAhead,
  )

export const from = (): Option =>
  new Option('--from <time>', 'the first moment: a time, or how long ago, such as 7d').argParser(timeAgo)

export const to = (): Option =>
  new Option('--to <time>', 'the end, itself not included: a time, or how long ago').argParser(timeAgo)

/** What a grant is given with, as the wire names it; what was not said stays out. */
export type GivenWith = { kind?: string; priority?: number; expiresAt?: string; reference?: string }
export const givenWith = ({ kind, priority, expiresAt, reference }: GivenWith) => ({
  ...(kind !== undefined && { kind }),
  ...(priority !== undefined && { priority }),
  ...(expiresAt !== undefined && { expires_at: expiresAt }),
  ...(reference !== undefined && { reference }),
})

function sentence(typed: string): string {
  if (typed.trim() === '') throw new InvalidArgumentError('It must say why.')
  return typed.trim()
}

function rank(typed: string): number {
  if (!/^\d{1,5}$/.test(typed) || Number(typed) > 32_767)
    throw new InvalidArgumentError('It must be a whole number from 0 to 32767.')
  return Number(typed)
}
