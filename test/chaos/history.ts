import type { Script } from './model/words.ts'

export const kinds = [
  'plain',
  'stream',
  'slow',
  'leave',
  'background',
  'resume',
  'cancel',
  'keyed',
  'prefer',
  'deadline',
  'batch',
] as const
export type Kind = (typeof kinds)[number]

/** One thing that a client sets out to do, with all that was decided about it beforehand. */
export type Play = {
  number: number
  kind: Kind
  /** Which of the accounts asks, and which replica is asked first. */
  account: number
  replica: number
  stream: boolean
  includeUsage: boolean
  script: Script
  /** Client-side decisions, by the meaning that its kind gives them. */
  afterEvents: number
  afterMs: number
  pauseMs: number
  drops: number[]
  /** Of a play that hands over many requests at once. */
  batch: BatchPlan | undefined
}

export const twists = ['none', 'cancel', 'max_credits', 'dry_run', 'bad_line', 'cut_upload'] as const

/** What a batch is made of, and what is done to it. */
export type BatchPlan = {
  /** The prompts of its lines, in order; each has a token of its own. */
  lines: Script[]
  twist: (typeof twists)[number]
  /** The bound of one that has a bound. */
  maxCredits: number
  /** Which line of one that has a bad line is bad, from 1. */
  badLine: number
}

/** How one HTTP exchange ended, from where the client stands. */
export type ExchangeEnd =
  /** A JSON answer below 400 came whole. */
  | 'answered'
  /** A stream came to its [DONE]. */
  | 'done'
  /** A status of 400 or above. */
  | 'refused'
  /** An error event in a stream. */
  | 'error_event'
  /** A stream ended in good order, but without [DONE] and without an error. */
  | 'ended_mute'
  /** The connection was lost, or could not be made. */
  | 'broken'
  /** The client went away, as it was meant to. */
  | 'left'
  /** The client waited longer than any answer may take. */
  | 'gave_up'

export type Told = { code: string; message: string; completionId: string | undefined }

/** Token counts and cost as an answer told them. */
export type ToldUsage = { input: number; output: number; credits: number | undefined }

export type Exchange = {
  play: number
  /** What it was for, such as `create` or `resume`. */
  step: string
  method: string
  path: string
  replica: number
  startedAt: number
  endedAt: number
  end: ExchangeEnd | undefined
  status: number | undefined
  headers: Record<string, string | undefined>
  completionId: string | undefined
  /** Of a completion object: `completed`, `queued` and so on. */
  completionStatus: string | undefined
  text: string
  finishReason: string | undefined
  usage: ToldUsage | undefined
  error: Told | undefined
  /** The `id:` of each event of a stream, in order; undefined for one without. */
  eventIds: (number | undefined)[]
  /** Of a file or a batch: all that was told of it. */
  object: Record<string, unknown> | undefined
  /** Of what is no JSON: all that came. */
  content: string | undefined
}

/** Everything that clients did and saw. */
export type History = {
  plays: Play[]
  exchanges: Exchange[]
}

export const newHistory = (): History => ({ plays: [], exchanges: [] })
